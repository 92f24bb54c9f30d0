"""Services, endpoints and regions. Those of the cloud itself are shown like the others and changed in the configuration only."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import delete, select

from pileus.identity.catalog import builtin, queries
from pileus.identity.catalog.models import Endpoint, Region, Service
from pileus.identity.catalog.schemas import EndpointBody, EndpointShape, ServiceBody, ServiceShape
from pileus.identity.catalog.views import endpoint_view, service_view
from pileus.identity.envelope import collection, extras
from pileus.identity.lookup import missing
from pileus.kernel.errors import BadRequest, Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

T = TypeVar("T", Service, Endpoint, Region)


def by_id(call: Call, rows: Sequence[T], key: str, what: str) -> T:
    """Raises NotFound."""
    row = next((row for row in rows if row.id == key), None)
    if row is None:
        raise missing(call, what, key)
    return row


def check_own(call: Call, row: Service | Endpoint | Region) -> None:
    """Raises Forbidden for what the cloud itself puts into the catalog."""
    if row not in call.db:
        raise Forbidden(f"{row.id} belongs to this cloud itself: the configuration file decides it.")


def filtered(call: Call, rows: Sequence[T], *attributes: str) -> list[T]:
    asked = [(name, call.query_value(name)) for name in attributes]
    return [row for row in rows if all(value is None or getattr(row, name) == value for name, value in asked)]


def service(call: Call, service_id: str) -> Service:
    return by_id(call, queries.services(call.cloud, call.db), service_id, "Service")


def endpoint(call: Call, endpoint_id: str) -> Endpoint:
    return by_id(call, queries.endpoints(call.cloud, call.db), endpoint_id, "Endpoint")


def list_services(call: Call) -> Json:
    rows = filtered(call, queries.services(call.cloud, call.db), "type", "name")
    return collection(call, "/v3/services", "services", [service_view(call, row) for row in rows])


def create_service(call: Call, body: ServiceBody) -> Json:
    if body.service.type is UNSET:
        raise BadRequest("Invalid input: a service needs its `type` - at `$.service`")
    made = Service(type=body.service.type, extra={}, enabled=True)
    _fill_service(call, made, body.service)
    call.db.add(made)
    call.db.flush()
    return {"service": service_view(call, made)}


def show_service(call: Call, target: Service) -> Json:
    return {"service": service_view(call, target)}


def update_service(call: Call, target: Service, body: ServiceBody) -> Json:
    check_own(call, target)
    _fill_service(call, target, body.service)
    return {"service": service_view(call, target)}


def delete_service(call: Call, target: Service) -> None:
    """With its endpoints."""
    check_own(call, target)
    call.db.execute(delete(Endpoint).where(Endpoint.service_id == target.id))
    call.db.delete(target)


def _fill_service(call: Call, row: Service, given: ServiceShape) -> None:
    row.type = row.type if given.type is UNSET else given.type
    row.name = row.name if given.name is UNSET else given.name
    row.description = row.description if given.description is UNSET else given.description
    row.enabled = row.enabled if given.enabled is UNSET else given.enabled
    row.extra = {**row.extra, **extras(call.body["service"], ServiceShape)}


def list_endpoints(call: Call) -> Json:
    rows = filtered(call, queries.endpoints(call.cloud, call.db), "interface", "service_id", "region_id")
    return collection(call, "/v3/endpoints", "endpoints", [endpoint_view(call, row) for row in rows])


def create_endpoint(call: Call, body: EndpointBody) -> Json:
    given = body.endpoint
    if given.service_id is UNSET or given.interface is UNSET or given.url is UNSET:
        raise BadRequest("Invalid input: an endpoint needs service_id, interface and url - at `$.endpoint`")
    made = Endpoint(service_id=given.service_id, interface=given.interface, url=given.url, extra={}, enabled=True)
    _fill_endpoint(call, made, given)
    call.db.add(made)
    call.db.flush()
    return {"endpoint": endpoint_view(call, made)}


def show_endpoint(call: Call, target: Endpoint) -> Json:
    return {"endpoint": endpoint_view(call, target)}


def update_endpoint(call: Call, target: Endpoint, body: EndpointBody) -> Json:
    check_own(call, target)
    _fill_endpoint(call, target, body.endpoint)
    return {"endpoint": endpoint_view(call, target)}


def delete_endpoint(call: Call, target: Endpoint) -> None:
    check_own(call, target)
    call.db.delete(target)


def _fill_endpoint(call: Call, row: Endpoint, given: EndpointShape) -> None:
    if given.service_id is not UNSET:
        _check_service(call, given.service_id)
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
        if region_id is not None and region_id not in {region.id for region in queries.regions(call.cloud, call.db)}:
            if given.region_id is not UNSET:
                raise BadRequest(f"Region {region_id} could not be found.")
            call.db.add(Region(id=region_id, extra={}))
        row.region_id = region_id
    row.interface = row.interface if given.interface is UNSET else given.interface
    row.name = row.name if given.name is UNSET else given.name
    row.enabled = row.enabled if given.enabled is UNSET else given.enabled
    row.extra = {**row.extra, **extras(call.body["endpoint"], EndpointShape)}


def _check_service(call: Call, service_id: str) -> None:
    own = {row.id for row in builtin.services(call.cloud)}
    if service_id not in own and call.db.scalar(select(Service.id).where(Service.id == service_id)) is None:
        raise BadRequest(f"Service {service_id} could not be found.")


_SERVICE, _ENDPOINT = "/v3/services/{service_id}", "/v3/endpoints/{endpoint_id}"
ROUTES = (
    Route("GET", "/v3/services", list_services, "identity:list_services"),
    Route("POST", "/v3/services", create_service, "identity:create_service", status=201),
    Route("GET", _SERVICE, show_service, "identity:get_service", load=service),
    Route("PATCH", _SERVICE, update_service, "identity:update_service", load=service),
    Route("DELETE", _SERVICE, delete_service, "identity:delete_service", load=service, status=204),
    Route("GET", "/v3/endpoints", list_endpoints, "identity:list_endpoints"),
    Route("POST", "/v3/endpoints", create_endpoint, "identity:create_endpoint", status=201),
    Route("GET", _ENDPOINT, show_endpoint, "identity:get_endpoint", load=endpoint),
    Route("PATCH", _ENDPOINT, update_endpoint, "identity:update_endpoint", load=endpoint),
    Route("DELETE", _ENDPOINT, delete_endpoint, "identity:delete_endpoint", load=endpoint, status=204),
)
