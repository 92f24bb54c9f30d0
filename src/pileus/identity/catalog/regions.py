"""Regions."""

from sqlalchemy import select

from pileus.identity.catalog import queries
from pileus.identity.catalog.models import Endpoint, Region
from pileus.identity.catalog.routes import by_id, check_own, filtered
from pileus.identity.catalog.schemas import RegionBody, RegionShape
from pileus.identity.catalog.views import region_view
from pileus.identity.envelope import collection, extras
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET


def region(call: Call, region_id: str) -> Region:
    return by_id(call, queries.regions(call.cloud, call.db), region_id, "Region")


def index(call: Call) -> Json:
    rows = filtered(call, queries.regions(call.cloud, call.db), "parent_region_id")
    return collection(call, "/v3/regions", "regions", [region_view(call, row) for row in rows])


def create(call: Call, body: RegionBody) -> Json:
    return _make(
        call, body.region, body.region.id if isinstance(body.region.id, str) and body.region.id else new_hex_id()
    )


def create_as(call: Call, region_id: str, body: RegionBody) -> Json:
    if isinstance(body.region.id, str) and body.region.id != region_id:
        raise BadRequest(f"The path names region {region_id}, the body {body.region.id}.")
    return _make(call, body.region, region_id)


def _make(call: Call, given: RegionShape, region_id: str) -> Json:
    if any(row.id == region_id for row in queries.regions(call.cloud, call.db)):
        raise Conflict(f"Region {region_id} exists already.")
    made = Region(id=region_id, description="", extra={})
    _fill(call, made, given)
    call.db.add(made)
    call.db.flush()
    return {"region": region_view(call, made)}


def show(call: Call, target: Region) -> Json:
    return {"region": region_view(call, target)}


def update(call: Call, target: Region, body: RegionBody) -> Json:
    check_own(call, target)
    _fill(call, target, body.region)
    return {"region": region_view(call, target)}


def destroy(call: Call, target: Region) -> None:
    check_own(call, target)
    child = call.db.scalar(select(Region.id).where(Region.parent_region_id == target.id).limit(1))
    user = call.db.scalar(select(Endpoint.id).where(Endpoint.region_id == target.id).limit(1))
    if child or user:
        raise Forbidden(f"Region {target.id} is in use by {f'region {child}' if child else f'endpoint {user}'}.")
    call.db.delete(target)


def _fill(call: Call, row: Region, given: RegionShape) -> None:
    if given.parent_region_id is not UNSET:
        row.parent_region_id = given.parent_region_id
        above = {region.id: region.parent_region_id for region in queries.regions(call.cloud, call.db)}
        step = given.parent_region_id
        if step is not None and step not in above:
            raise NotFound(f"Region {step} could not be found.")
        while step is not None:
            if step == row.id:
                raise BadRequest("A region can not be above itself.")
            step = above.get(step)
    if given.description is not UNSET:
        row.description = given.description or ""
    row.extra = {**row.extra, **extras(call.body["region"], RegionShape)}


_ONE = "/v3/regions/{region_id}"
ROUTES = (
    Route("GET", "/v3/regions", index, "identity:list_regions"),
    Route("POST", "/v3/regions", create, "identity:create_region", status=201),
    Route("GET", _ONE, show, "identity:get_region", load=region),
    Route("PUT", _ONE, create_as, "identity:create_region", status=201),
    Route("PATCH", _ONE, update, "identity:update_region", load=region),
    Route("DELETE", _ONE, destroy, "identity:delete_region", load=region, status=204),
)
