"""Registered limits."""

from sqlalchemy import select

from pileus.identity.catalog.regions import REGIONS
from pileus.identity.catalog.services import SERVICES
from pileus.identity.envelope import collection
from pileus.identity.limits.models import Limit
from pileus.identity.lookup import find
from pileus.identity.registered_limits import replies
from pileus.identity.registered_limits.models import EVERYWHERE, RegisteredLimit
from pileus.identity.registered_limits.schemas import (
    NewRegisteredLimitsBody,
    UpdatedRegisteredLimit,
    UpdatedRegisteredLimitBody,
)
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

REGISTERED_LIMITS = Listing(
    model=RegisteredLimit,
    key=RegisteredLimit.id,
    filters={
        "service_id": exact(RegisteredLimit.service_id),
        "region_id": exact(RegisteredLimit.region_id),
        "resource_name": exact(RegisteredLimit.resource_name),
    },
    sort={"resource_name": RegisteredLimit.resource_name, "id": RegisteredLimit.id},
    default_sort=(("resource_name", "asc"),),
    always_limited=False,
)


def registered_limit(call: Call, registered_limit_id: str) -> RegisteredLimit:
    return find(call, RegisteredLimit, registered_limit_id, "Registered limit")


def view(call: Call, row: RegisteredLimit) -> Json:
    return {
        "id": row.id,
        "service_id": row.service_id,
        "region_id": row.region_id or None,
        "resource_name": row.resource_name,
        "default_limit": row.default_limit,
        "description": row.description,
        "links": {"self": call.url(f"/v3/registered_limits/{row.id}")},
    }


def index(call: Call) -> Json:
    page = REGISTERED_LIMITS.page(call, select(RegisteredLimit))
    following = REGISTERED_LIMITS.next_link(call, page, "/v3/registered_limits")
    rows = [view(call, row) for row in page.items]
    return collection(call, "/v3/registered_limits", "registered_limits", rows, following)


def create(call: Call, body: NewRegisteredLimitsBody) -> Json:
    """All or none."""
    made = []
    for given in body.registered_limits:
        row = RegisteredLimit(
            service_id=given.service_id,
            region_id=given.region_id or EVERYWHERE,
            resource_name=given.resource_name,
            default_limit=given.default_limit,
            description=given.description,
        )
        _check_place(call, row)
        call.db.add(row)
        call.db.flush()
        made.append(row)
    return {"registered_limits": [view(call, row) for row in made]}


def show(call: Call, target: RegisteredLimit) -> Json:
    return {"registered_limit": view(call, target)}


def update(call: Call, target: RegisteredLimit, body: UpdatedRegisteredLimitBody) -> Json:
    given = body.registered_limit
    if _moves(target, given):
        _check_free(call, target)
        with call.db.no_autoflush:
            target.service_id = target.service_id if given.service_id is UNSET else given.service_id
            target.region_id = target.region_id if given.region_id is UNSET else given.region_id or EVERYWHERE
            target.resource_name = target.resource_name if given.resource_name is UNSET else given.resource_name
            _check_place(call, target)
    target.default_limit = target.default_limit if given.default_limit is UNSET else given.default_limit
    target.description = target.description if given.description is UNSET else given.description
    return {"registered_limit": view(call, target)}


def destroy(call: Call, target: RegisteredLimit) -> None:
    _check_free(call, target)
    call.db.delete(target)


def _moves(row: RegisteredLimit, given: UpdatedRegisteredLimit) -> bool:
    """Is it to be about something else?"""
    asked = (
        (given.service_id, row.service_id),
        (given.region_id, row.region_id or None),
        (given.resource_name, row.resource_name),
    )
    return any(wanted is not UNSET and wanted != held for wanted, held in asked)


def _check_free(call: Call, row: RegisteredLimit) -> None:
    user = call.db.scalar(select(Limit.id).where(Limit.registered_limit_id == row.id).limit(1))
    if user is not None:
        raise Forbidden(f"Registered limit {row.id} has limits of projects or domains (as {user}): delete them first.")


def _check_place(call: Call, row: RegisteredLimit) -> None:
    """There must be the service and the region, and nothing registered for the same yet."""
    if SERVICES.get(call.cloud, call.db, row.service_id) is None:
        raise BadRequest(f"Service {row.service_id} could not be found.")
    if row.region_id and REGIONS.get(call.cloud, call.db, row.region_id) is None:
        raise BadRequest(f"Region {row.region_id} could not be found.")
    same = select(RegisteredLimit.id).where(
        RegisteredLimit.service_id == row.service_id,
        RegisteredLimit.region_id == row.region_id,
        RegisteredLimit.resource_name == row.resource_name,
    )
    if (other := call.db.scalar(same)) is not None:
        raise Conflict(f"{row.resource_name} of service {row.service_id} is registered already: {other}.")


_ONE = "/v3/registered_limits/{registered_limit_id}"
ROUTES = (
    Route(
        "GET",
        "/v3/registered_limits",
        index,
        "identity:list_registered_limits",
        reply=replies.LIMITS,
        query=REGISTERED_LIMITS,
    ),
    Route(
        "POST", "/v3/registered_limits", create, "identity:create_registered_limits", status=201, reply=replies.CREATED
    ),
    Route("GET", _ONE, show, "identity:get_registered_limit", load=registered_limit, reply=replies.LIMIT),
    Route("PATCH", _ONE, update, "identity:update_registered_limit", load=registered_limit, reply=replies.LIMIT),
    Route("DELETE", _ONE, destroy, "identity:delete_registered_limit", load=registered_limit, status=204),
)
