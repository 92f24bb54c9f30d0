"""The reshaper: inventories move between providers together with what is allocated of them (Placement API, Reshaper)."""

from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Shape
from pileus.placement.allocations import actions as allocations
from pileus.placement.allocations.schemas import MapBody, wanted
from pileus.placement.inventories import actions as inventories
from pileus.placement.inventories.schemas import InventoriesBody
from pileus.placement.names import Uuid
from pileus.placement.providers.generation import advance
from pileus.placement.providers.models import Provider
from pileus.placement.providers.queries import find


class ReshapeBody(Shape):
    inventories: dict[Uuid, InventoriesBody]
    allocations: dict[Uuid, MapBody]


def reshape(call: Call, body: ReshapeBody) -> None:
    """New inventories first, then the allocations, then away with what is left over."""
    changed = [(_provider(call, provider_id), given) for provider_id, given in body.inventories.items()]
    for provider, given in changed:
        advance(call.db, provider, given.resource_provider_generation)
        inventories.put(call, provider, given.inventories)
    allocations.replace(call.db, [wanted(call, consumer, entry) for consumer, entry in body.allocations.items()])
    for provider, given in changed:
        left = {item.resource_class for item in inventories.held(call.db, provider)} - given.inventories.keys()
        inventories.remove(call.db, provider, left)


def _provider(call: Call, provider_id: str) -> Provider:
    try:
        return find(call.db, provider_id)
    except NotFound as error:
        raise BadRequest(error.message, kind=error.kind) from None


ROUTES = (Route("POST", "/reshaper", reshape, "placement:reshaper:reshape", since="1.30", status=204),)
