"""Endpoints."""

from pileus.identity.catalog import builtin, queries
from pileus.identity.catalog.entries import Entries, check_own
from pileus.identity.catalog.models import Endpoint, ProjectEndpoint, Region
from pileus.identity.catalog.regions import REGIONS
from pileus.identity.catalog.schemas import EndpointBody, EndpointShape
from pileus.identity.catalog.services import SERVICES
from pileus.identity.catalog.views import endpoint_view
from pileus.identity.envelope import extras
from pileus.identity.policies.models import PolicyAssociation
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.schema import UNSET

ENDPOINTS = Entries(
    kind="endpoint",
    model=Endpoint,
    own=builtin.endpoints,
    view=endpoint_view,
    order=(Endpoint.service_id, Endpoint.id),
    filters=("interface", "service_id", "region_id", "enabled", "name"),
    takes_along=(ProjectEndpoint.endpoint_id, PolicyAssociation.endpoint_id),
)


def create(call: Call, body: EndpointBody) -> Json:
    given = body.endpoint
    if given.service_id is UNSET or given.interface is UNSET or given.url is UNSET:
        raise BadRequest("Invalid input: an endpoint needs service_id, interface and url - at `$.endpoint`")
    made = Endpoint(service_id=given.service_id, interface=given.interface, url=given.url, extra={}, enabled=True)
    _fill(call, made, given)
    return ENDPOINTS.added(call, made)


def update(call: Call, target: Endpoint, body: EndpointBody) -> Json:
    check_own(call, target)
    _fill(call, target, body.endpoint)
    return ENDPOINTS.show(call, target)


def _fill(call: Call, row: Endpoint, given: EndpointShape) -> None:
    if given.service_id is not UNSET:
        if SERVICES.get(call.cloud, call.db, given.service_id) is None:
            raise BadRequest(f"Service {given.service_id} could not be found.")
        row.service_id = given.service_id
    if given.url is not UNSET:
        unknown = queries.holes(given.url) - queries.HOLES
        if unknown:
            raise BadRequest(
                f"The url may leave open {', '.join(sorted(queries.HOLES))}; not {', '.join(sorted(unknown))}."
            )
        row.url = given.url
    region_id = given.region_id if given.region_id is not UNSET else given.region
    if region_id is not UNSET:
        if region_id is not None and REGIONS.get(call.cloud, call.db, region_id) is None:
            if given.region_id is not UNSET:
                raise BadRequest(f"Region {region_id} could not be found.")
            call.db.add(Region(id=region_id, extra={}))
        row.region_id = region_id
    row.interface = row.interface if given.interface is UNSET else given.interface
    row.name = row.name if given.name is UNSET else given.name
    row.enabled = row.enabled if given.enabled is UNSET else given.enabled
    row.extra = {**row.extra, **extras(call.body["endpoint"], EndpointShape)}


ROUTES = ENDPOINTS.routes(create, update)
