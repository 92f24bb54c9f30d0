"""Allocations as answers show them."""

from sqlalchemy import select

from pileus.kernel.http.call import Call, Json
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.providers.models import Provider


def of_consumer(call: Call, consumer_id: str) -> Json:
    """One query; a consumer that holds nothing is an empty map and no more."""
    query = (
        select(Allocation, Consumer, Provider.generation)
        .join(Consumer, Consumer.id == Allocation.consumer_id)
        .join(Provider, Provider.id == Allocation.provider_id)
        .where(Allocation.consumer_id == consumer_id)
        .order_by(Provider.created_at, Provider.id, Allocation.resource_class)
    )
    allocations: dict[str, Json] = {}
    shown: Json = {"allocations": allocations}
    for allocation, consumer, generation in call.db.execute(query):
        entry = allocations.setdefault(allocation.provider_id, {"generation": generation, "resources": {}})
        entry["resources"][allocation.resource_class] = allocation.used
        if call.at_least(1, 12):
            shown |= {"project_id": consumer.project_id, "user_id": consumer.user_id}
        if call.at_least(1, 28):
            shown["consumer_generation"] = consumer.generation
        if call.at_least(1, 38):
            shown["consumer_type"] = consumer.consumer_type
    return shown


def of_provider(call: Call, provider: Provider) -> Json:
    query = (
        select(Allocation, Consumer.generation)
        .join(Consumer, Consumer.id == Allocation.consumer_id)
        .where(Allocation.provider_id == provider.id)
        .order_by(Allocation.consumer_id, Allocation.resource_class)
    )
    allocations: dict[str, Json] = {}
    for allocation, generation in call.db.execute(query):
        more = {"consumer_generation": generation} if call.at_least(1, 28) else {}
        entry = allocations.setdefault(allocation.consumer_id, {"resources": {}} | more)
        entry["resources"][allocation.resource_class] = allocation.used
    return {"allocations": allocations, "resource_provider_generation": provider.generation}
