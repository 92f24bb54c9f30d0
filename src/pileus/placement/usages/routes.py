"""Usages: what is taken, of a provider and by a project (Placement API, Usages)."""

from dataclasses import dataclass

from sqlalchemy import func, select

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.placement import query
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.errors import MISSING_VALUE
from pileus.placement.freshness import fresh
from pileus.placement.providers.models import Inventory
from pileus.placement.providers.queries import find

KNOWN = {"project_id": "1.9", "user_id": "1.9", "consumer_type": "1.38"}
ALL = "all"


@dataclass(frozen=True)
class Asked:
    """Whose usage the query is about; the rule is checked against that project."""

    project_id: str
    user: str | None
    consumer_type: str | None


def asked(call: Call) -> Asked:
    given = query.parameters(call, KNOWN, {})
    if not given.get("project_id", [""])[0]:
        raise BadRequest("Query parameter project_id is required.", kind=MISSING_VALUE)
    for name, values in given.items():
        if not 0 < len(values[0]) <= 255:
            raise query.bad(f"Query parameter {name} must have 1 to 255 characters.")
    return Asked(given["project_id"][0], given.get("user_id", [None])[0], given.get("consumer_type", [None])[0])


def of_provider(call: Call, uuid: str) -> Reply:
    """Every class that the provider has an inventory of, with 0 where nothing is taken."""
    provider = find(call.db, uuid)
    taken = (
        select(Inventory.resource_class, func.coalesce(func.sum(Allocation.used), 0))
        .outerjoin(
            Allocation,
            (Allocation.provider_id == Inventory.provider_id) & (Allocation.resource_class == Inventory.resource_class),
        )
        .where(Inventory.provider_id == provider.id)
        .group_by(Inventory.resource_class)
        .order_by(Inventory.resource_class)
    )
    usages = {name: int(used) for name, used in call.db.execute(taken)}
    return fresh(
        call, {"usages": usages, "resource_provider_generation": provider.generation}, when=provider.updated_at
    )


def of_project(call: Call, target: Asked) -> Reply:
    mine = [Consumer.project_id == target.project_id]
    if target.user is not None:
        mine.append(Consumer.user_id == target.user)
    if target.consumer_type not in (None, ALL):
        mine.append(Consumer.consumer_type == target.consumer_type)
    amounts = (
        select(Consumer.consumer_type, Allocation.resource_class, func.sum(Allocation.used))
        .join(Allocation, Allocation.consumer_id == Consumer.id)
        .where(*mine)
        .group_by(Consumer.consumer_type, Allocation.resource_class)
    )
    apart = call.at_least(1, 38) and target.consumer_type != ALL
    usages: dict[str, Json] = {}
    for kind, name, used in call.db.execute(amounts):
        group = usages.setdefault(kind if apart else ALL, {})
        group[name] = group.get(name, 0) + int(used)
    if not call.at_least(1, 38):
        return fresh(call, {"usages": usages.get(ALL, {})})
    counts = (
        select(Consumer.consumer_type, func.count(Allocation.consumer_id.distinct()))
        .join(Allocation, Allocation.consumer_id == Consumer.id)
        .where(*mine)
        .group_by(Consumer.consumer_type)
    )
    for kind, count in call.db.execute(counts):
        group = usages[kind if apart else ALL]
        group["consumer_count"] = group.get("consumer_count", 0) + count
    return fresh(call, {"usages": usages})


ROUTES = (
    Route("GET", "/resource_providers/{uuid}/usages", of_provider, "placement:resource_providers:usages"),
    Route("GET", "/usages", of_project, "placement:usages", load=asked, since="1.9"),
)
