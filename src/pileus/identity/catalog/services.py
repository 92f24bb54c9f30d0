"""Services."""

from sqlalchemy import delete, select

from pileus.identity.catalog import builtin
from pileus.identity.catalog.entries import Entries, check_own
from pileus.identity.catalog.models import Endpoint, ProjectEndpoint, Service
from pileus.identity.catalog.schemas import ServiceBody, ServiceShape
from pileus.identity.catalog.views import service_view
from pileus.identity.envelope import extras
from pileus.identity.policies.models import PolicyAssociation
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.schema import UNSET

SERVICES = Entries(
    kind="service",
    model=Service,
    own=builtin.services,
    view=service_view,
    order=(Service.type, Service.id),
    filters=("type", "name", "enabled"),
    takes_along=(PolicyAssociation.service_id, Endpoint.service_id),
)


def create(call: Call, body: ServiceBody) -> Json:
    if body.service.type is UNSET:
        raise BadRequest("Invalid input: a service needs its `type` - at `$.service`")
    made = Service(type=body.service.type, extra={}, enabled=True)
    _fill(call, made, body.service)
    return SERVICES.added(call, made)


def update(call: Call, target: Service, body: ServiceBody) -> Json:
    check_own(call, target)
    _fill(call, target, body.service)
    return SERVICES.show(call, target)


def destroy(call: Call, target: Service) -> None:
    """With its endpoints. Limits that name it stay until they are deleted themselves."""
    endpoints = select(Endpoint.id).where(Endpoint.service_id == target.id)
    for column in (ProjectEndpoint.endpoint_id, PolicyAssociation.endpoint_id):
        call.db.execute(delete(column.class_).where(column.in_(endpoints)))
    SERVICES.destroy(call, target)


def _fill(call: Call, row: Service, given: ServiceShape) -> None:
    row.type = row.type if given.type is UNSET else given.type
    row.name = row.name if given.name is UNSET else given.name
    row.description = row.description if given.description is UNSET else given.description
    row.enabled = row.enabled if given.enabled is UNSET else given.enabled
    row.extra = {**row.extra, **extras(call.body["service"], ServiceShape)}


ROUTES = SERVICES.routes(create, update, destroy)
