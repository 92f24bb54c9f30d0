"""Regions."""

from sqlalchemy import select

from pileus.identity.catalog import builtin, replies
from pileus.identity.catalog.entries import Entries, check_own
from pileus.identity.catalog.models import Endpoint, Region
from pileus.identity.catalog.schemas import RegionBody, RegionShape
from pileus.identity.catalog.views import region_view
from pileus.identity.envelope import extras
from pileus.identity.policies.models import PolicyAssociation
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

REGIONS = Entries(
    kind="region",
    model=Region,
    own=builtin.regions,
    view=region_view,
    order=(Region.id,),
    filters=("parent_region_id",),
    takes_along=(PolicyAssociation.region_id,),
)


def create(call: Call, body: RegionBody) -> Json:
    return _make(
        call, body.region, body.region.id if isinstance(body.region.id, str) and body.region.id else new_hex_id()
    )


def create_as(call: Call, region_id: str, body: RegionBody) -> Json:
    if isinstance(body.region.id, str) and body.region.id != region_id:
        raise BadRequest(f"The path names region {region_id}, the body {body.region.id}.")
    return _make(call, body.region, region_id)


def _make(call: Call, given: RegionShape, region_id: str) -> Json:
    if REGIONS.get(call.cloud, call.db, region_id) is not None:
        raise Conflict(f"Region {region_id} exists already.")
    made = Region(id=region_id, description="", extra={})
    _fill(call, made, given)
    return REGIONS.added(call, made)


def update(call: Call, target: Region, body: RegionBody) -> Json:
    check_own(call, target)
    _fill(call, target, body.region)
    return REGIONS.show(call, target)


def destroy(call: Call, target: Region) -> None:
    users = (
        ("region", select(Region.id).where(Region.parent_region_id == target.id)),
        ("endpoint", select(Endpoint.id).where(Endpoint.region_id == target.id)),
    )
    for what, query in users:
        if (user := call.db.scalar(query.limit(1))) is not None:
            raise Forbidden(f"Region {target.id} is in use by {what} {user}.")
    REGIONS.destroy(call, target)


def lineage(above: dict[str, str | None], region_id: str | None) -> list[str]:
    """The region and those above it, nearest first. `above`: parent by id."""
    found: list[str] = []
    while region_id is not None and region_id not in found:
        found.append(region_id)
        region_id = above.get(region_id)
    return found


def parents(call: Call) -> dict[str, str | None]:
    """Each region's parent."""
    return {region.id: region.parent_region_id for region in REGIONS.all(call.cloud, call.db)}


def _fill(call: Call, row: Region, given: RegionShape) -> None:
    if given.parent_region_id is not UNSET:
        row.parent_region_id = given.parent_region_id
        above = parents(call)
        if row.parent_region_id is not None and row.parent_region_id not in above:
            raise NotFound(f"Region {row.parent_region_id} could not be found.")
        if row.id in lineage(above, row.parent_region_id):
            raise BadRequest("A region can not be above itself.")
    if given.description is not UNSET:
        row.description = given.description or ""
    row.extra = {**row.extra, **extras(call.body["region"], RegionShape)}


ROUTES = (
    *REGIONS.routes(create, update, destroy),
    Route(
        "PUT", "/v3/regions/{region_id}", create_as, "identity:create_region", status=201, reply=replies.ONE["region"]
    ),
)
