"""Which projects may use a flavor that is not public."""

from pileus.compute.flavors import queries
from pileus.compute.flavors.models import Flavor, FlavorAccess
from pileus.compute.flavors.schemas import Tenant
from pileus.identity import internal as identity
from pileus.kernel.errors import BadRequest, Conflict, NotFound
from pileus.kernel.http.call import Call, Json


def index(call: Call, flavor: Flavor) -> Json:
    if flavor.is_public:
        raise NotFound("Access list not available for public flavors.")
    return _view(call, flavor)


def add(call: Call, flavor: Flavor, body: Tenant) -> Json:
    if flavor.is_public and call.at_least(2, 7):
        raise Conflict("Can not add access to a public flavor.")
    if not identity.project_exists(call.db, body.tenant):
        raise BadRequest(f"Project ID {body.tenant} is not a valid project.")
    if call.db.get(FlavorAccess, (flavor.id, body.tenant)) is not None:
        raise Conflict(f"Flavor access already exists for flavor {flavor.id} and project {body.tenant} combination.")
    call.db.add(FlavorAccess(flavor_id=flavor.id, project_id=body.tenant))
    return _view(call, flavor)


def remove(call: Call, flavor: Flavor, body: Tenant) -> Json:
    """Also of a project that is gone."""
    held = call.db.get(FlavorAccess, (flavor.id, body.tenant))
    if held is None:
        raise NotFound(f"Flavor access not found for {flavor.id} / {body.tenant} combination.")
    call.db.delete(held)
    return _view(call, flavor)


def _view(call: Call, flavor: Flavor) -> Json:
    projects = queries.projects_of(call, flavor)
    return {"flavor_access": [{"flavor_id": flavor.id, "tenant_id": project} for project in projects]}
