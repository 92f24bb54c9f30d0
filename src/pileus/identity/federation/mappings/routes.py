"""Mappings."""

from typing import Any

from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.federation.mappings import replies, rules
from pileus.identity.federation.mappings.models import Mapping
from pileus.identity.federation.mappings.rules import SchemaVersion
from pileus.identity.federation.names import chosen_id
from pileus.identity.federation.protocols.models import Protocol
from pileus.identity.lookup import find
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET, Shape, Unset

PATH = "/v3/OS-FEDERATION/mappings"
ONE = f"{PATH}/{{mapping_id}}"

MAPPINGS = Listing(
    model=Mapping,
    key=Mapping.id,
    filters={"id": exact(Mapping.id)},
    sort={"id": Mapping.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


class MappingShape(Shape):
    """`id` says again what the path does, as the clients send it."""

    id: str | Unset = UNSET
    rules: list[Any] | Unset = UNSET
    schema_version: SchemaVersion | Unset = UNSET


class MappingBody(Shape):
    mapping: MappingShape


def view(call: Call, row: Mapping) -> Json:
    return {
        "id": row.id,
        "rules": row.rules,
        "schema_version": row.schema_version,
        "links": {"self": call.url(f"{PATH}/{row.id}")},
    }


def mapping(call: Call, mapping_id: str) -> Mapping:
    return find(call, Mapping, mapping_id, "Mapping")


def index(call: Call) -> Json:
    page = MAPPINGS.page(call, select(Mapping))
    rows = [view(call, row) for row in page.items]
    return collection(call, PATH, "mappings", rows, MAPPINGS.next_link(call, page, PATH))


def create(call: Call, mapping_id: str, body: MappingBody) -> Json:
    if body.mapping.rules is UNSET:
        raise BadRequest("Invalid input: a mapping needs its `rules` - at `$.mapping`")
    if call.db.get(Mapping, mapping_id) is not None:
        raise Conflict(f"Mapping {mapping_id} exists already.")
    made = Mapping(id=chosen_id(mapping_id), rules=[], schema_version="1.0")
    _fill(made, body.mapping)
    call.db.add(made)
    call.db.flush()
    return show(call, made)


def show(call: Call, target: Mapping) -> Json:
    return {"mapping": view(call, target)}


def update(call: Call, target: Mapping, body: MappingBody) -> Json:
    _fill(target, body.mapping)
    return show(call, target)


def destroy(call: Call, target: Mapping) -> None:
    user = call.db.scalars(select(Protocol).where(Protocol.mapping_id == target.id).limit(1)).first()
    if user is not None:
        raise Conflict(
            f"Mapping {target.id} is used by protocol {user.id} of identity provider {user.identity_provider_id}."
        )
    call.db.delete(target)


def _fill(row: Mapping, given: MappingShape) -> None:
    version = row.schema_version if given.schema_version is UNSET else given.schema_version
    wanted = row.rules if given.rules is UNSET else given.rules
    rules.read(wanted, version)
    row.rules, row.schema_version = wanted, version


ROUTES = (
    Route("GET", PATH, index, "identity:list_mappings", reply=replies.MAPPINGS, query=MAPPINGS),
    Route("PUT", ONE, create, "identity:create_mapping", status=201, reply=replies.MAPPING),
    Route("GET", ONE, show, "identity:get_mapping", load=mapping, reply=replies.MAPPING),
    Route("PATCH", ONE, update, "identity:update_mapping", load=mapping, reply=replies.MAPPING),
    Route("DELETE", ONE, destroy, "identity:delete_mapping", load=mapping, status=204),
)
