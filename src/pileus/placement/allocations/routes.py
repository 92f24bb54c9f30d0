"""Allocations: who holds what (Placement API, Allocations)."""

from sqlalchemy import exists, select

from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.routes import Route
from pileus.placement import internal
from pileus.placement.allocations import actions, views
from pileus.placement.allocations.models import Allocation
from pileus.placement.allocations.schemas import ListBody, MapBody, wanted, wanted_of_list
from pileus.placement.freshness import fresh
from pileus.placement.names import Uuid, canonical
from pileus.placement.providers.queries import find

PATH = "/allocations"
ONE = f"{PATH}/{{consumer_uuid}}"
UPDATE = "placement:allocations:update"


def show(call: Call, consumer_uuid: str) -> Reply:
    return fresh(call, views.of_consumer(call, canonical(consumer_uuid, "consumer_uuid")))


def of_provider(call: Call, uuid: str) -> Reply:
    provider = find(call.db, uuid)
    return fresh(call, views.of_provider(call, provider), when=provider.updated_at)


def replace_list(call: Call, consumer_uuid: str, body: ListBody) -> None:
    actions.replace(call.db, [wanted_of_list(call, consumer_uuid, body)])


def replace(call: Call, consumer_uuid: str, body: MapBody) -> None:
    """An empty map gives everything back, since 1.28."""
    if not body.allocations and not call.at_least(1, 28):
        raise BadRequest("allocations must name a resource provider; DELETE gives everything back.")
    actions.replace(call.db, [wanted(call, consumer_uuid, body)])


def replace_many(call: Call, body: dict[Uuid, MapBody]) -> None:
    if not body:
        raise BadRequest("The request must name a consumer.")
    actions.replace(call.db, [wanted(call, consumer, entry) for consumer, entry in body.items()])


def destroy(call: Call, consumer_uuid: str) -> None:
    consumer = canonical(consumer_uuid, "consumer_uuid")
    if not call.db.scalar(select(exists().where(Allocation.consumer_id == consumer))):
        raise NotFound(f"No allocations for consumer '{consumer}'.")
    internal.release(call.db, consumer)


ROUTES = (
    Route("POST", PATH, replace_many, "placement:allocations:manage", since="1.13", status=204),
    Route("GET", ONE, show, "placement:allocations:list"),
    Route("PUT", ONE, replace_list, UPDATE, until="1.11", status=204),
    Route("PUT", ONE, replace, UPDATE, since="1.12", status=204),
    Route("DELETE", ONE, destroy, "placement:allocations:delete", status=204),
    Route(
        "GET",
        "/resource_providers/{uuid}/allocations",
        of_provider,
        "placement:resource_providers:allocations:list",
        since="1.0",
    ),
)
