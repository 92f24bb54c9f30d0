"""Aggregates: the table, the rules, the view and thin handlers."""

from sqlalchemy import select

from pileus.compute.aggregates import zones
from pileus.compute.aggregates.models import Aggregate, AggregateHost
from pileus.compute.aggregates.schemas import AggregateChangeBody, HostAction, MetadataAction, NewAggregateBody
from pileus.compute.hosts.models import Host
from pileus.compute.strictness import refuse_unknown
from pileus.kernel.errors import BadRequest, Conflict, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Action, Route
from pileus.kernel.http.schema import Unset
from pileus.kernel.policy import Rule

AGGREGATES = "os_compute_api:os-aggregates"


def find(call: Call, aggregate_id: str) -> Aggregate:
    number = (
        int(aggregate_id) if aggregate_id.isascii() and aggregate_id.isdecimal() and len(aggregate_id) < 10 else None
    )
    aggregate = call.db.get(Aggregate, number) if number is not None else None
    if aggregate is None:
        raise NotFound(f"Aggregate {aggregate_id} could not be found.")
    return aggregate


def view(call: Call, aggregate: Aggregate) -> Json:
    shown: Json = {
        "id": aggregate.id,
        "name": aggregate.name,
        "availability_zone": aggregate.zone,
        "hosts": aggregate.hosts,
        "metadata": aggregate.meta,
        "created_at": aggregate.created_at.isoformat(),
        "updated_at": aggregate.updated_at.isoformat() if aggregate.updated_at else None,
        "deleted": False,
        "deleted_at": None,
    }
    return shown | ({"uuid": aggregate.uuid} if call.at_least(2, 41) else {})


def index(call: Call) -> Json:
    refuse_unknown(call)
    return {
        "aggregates": [view(call, aggregate) for aggregate in call.db.scalars(select(Aggregate).order_by(Aggregate.id))]
    }


def show(call: Call, aggregate: Aggregate) -> Json:
    return {"aggregate": view(call, aggregate)}


def create(call: Call, body: NewAggregateBody) -> Json:
    asked = body.aggregate
    _free_name(call, asked.name.strip(), None)
    zone = None if isinstance(asked.availability_zone, Unset) else asked.availability_zone
    aggregate = Aggregate(name=asked.name.strip(), meta={"availability_zone": zone} if zone else {}, members=[])
    call.db.add(aggregate)
    call.db.flush()
    shown = view(call, aggregate)
    return {"aggregate": {name: value for name, value in shown.items() if name not in ("hosts", "metadata")}}


def update(call: Call, aggregate: Aggregate, body: AggregateChangeBody) -> Json:
    asked = body.aggregate
    if isinstance(asked.name, Unset) and isinstance(asked.availability_zone, Unset):
        raise BadRequest("Invalid input: name or availability_zone is needed")
    if not isinstance(asked.name, Unset):
        _free_name(call, asked.name.strip(), aggregate)
        aggregate.name = asked.name.strip()
    if not isinstance(asked.availability_zone, Unset):
        _set_metadata(call, aggregate, {"availability_zone": asked.availability_zone})
    call.db.flush()
    return show(call, aggregate)


def delete(call: Call, aggregate: Aggregate) -> None:
    if aggregate.members:
        raise BadRequest(f"Cannot delete aggregate {aggregate.id}: it still has hosts.")
    call.db.delete(aggregate)


def add_host(call: Call, aggregate: Aggregate, body: HostAction) -> Json:
    if call.db.scalar(select(Host.id).where(Host.name == body.host)) is None:
        raise NotFound(f"Compute host {body.host} could not be found.")
    if body.host in aggregate.hosts:
        raise Conflict(f"Aggregate {aggregate.id} already has host {body.host}.")
    if aggregate.zone is not None:
        zones.move(call.db, [body.host], aggregate.zone, aggregate)
    aggregate.members.append(AggregateHost(host=body.host))
    call.db.flush()
    return show(call, aggregate)


def remove_host(call: Call, aggregate: Aggregate, body: HostAction) -> Json:
    member = next((member for member in aggregate.members if member.host == body.host), None)
    if member is None:
        raise NotFound(f"Aggregate {aggregate.id} has no host {body.host}.")
    if aggregate.zone is not None:
        zones.move(call.db, [body.host], None, aggregate)
    aggregate.members.remove(member)
    call.db.flush()
    return show(call, aggregate)


def set_metadata(call: Call, aggregate: Aggregate, body: MetadataAction) -> Json:
    _set_metadata(call, aggregate, body.metadata)
    call.db.flush()
    return show(call, aggregate)


def _set_metadata(call: Call, aggregate: Aggregate, changes: dict[str, str | None]) -> None:
    if "availability_zone" in changes:
        zone = changes["availability_zone"]
        if zone is not None:
            zones.check_name(zone)
        if zone != aggregate.zone:
            zones.move(call.db, aggregate.hosts, zone, aggregate)
    merged = {**aggregate.meta, **changes}
    aggregate.meta = {key: value for key, value in merged.items() if value is not None}


def _free_name(call: Call, name: str, own: Aggregate | None) -> None:
    taken = call.db.scalar(select(Aggregate).where(Aggregate.name == name))
    if taken is not None and taken is not own:
        raise Conflict(f"Aggregate {name} already exists.")


VERBS = {
    "add_host": Action(add_host, f"{AGGREGATES}:add_host", status=200),
    "remove_host": Action(remove_host, f"{AGGREGATES}:remove_host", status=200),
    "set_metadata": Action(set_metadata, f"{AGGREGATES}:set_metadata", status=200),
}
A = "/v2.1/os-aggregates/{aggregate_id}"
ROUTES = (
    Route("GET", "/v2.1/os-aggregates", index, f"{AGGREGATES}:index"),
    Route("POST", "/v2.1/os-aggregates", create, f"{AGGREGATES}:create"),
    Route("GET", A, show, f"{AGGREGATES}:show", load=find),
    Route("PUT", A, update, f"{AGGREGATES}:update", load=find),
    Route("DELETE", A, delete, f"{AGGREGATES}:delete", load=find),
    Route("POST", f"{A}/action", load=find, actions=VERBS),
)
DOES = {
    "index": "List aggregates",
    "show": "Show an aggregate",
    "create": "Create an aggregate",
    "update": "Change an aggregate's name or zone",
    "delete": "Delete an aggregate",
    "add_host": "Add a host to an aggregate",
    "remove_host": "Remove a host from an aggregate",
    "set_metadata": "Change an aggregate's metadata",
}
RULES = tuple(Rule(f"{AGGREGATES}:{name}", "rule:admin_required", what) for name, what in DOES.items())
