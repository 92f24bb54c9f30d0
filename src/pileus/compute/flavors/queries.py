"""Reading flavors: who sees which."""

from sqlalchemy import ColumnElement, Select, or_, select

from pileus.compute.flavors.models import Flavor, FlavorAccess
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Filter, Listing, Page, boolean

DETAIL_QUERY = frozenset({"is_public"})


def at_least(column: str, name: str) -> Filter:
    def build(values: list[str]) -> ColumnElement[bool]:
        try:
            least = int(values[-1])
        except ValueError:
            raise BadRequest(f"Invalid {name} filter [{values[-1]}]") from None
        found: ColumnElement[bool] = getattr(Flavor, column) >= least
        return found

    return build


FLAVORS = Listing(
    model=Flavor,
    key=Flavor.id,
    filters={"minRam": at_least("ram", "minRam"), "minDisk": at_least("disk", "minDisk")},
    sort={
        "flavorid": Flavor.id,
        "id": Flavor.id,
        "name": Flavor.name,
        "memory_mb": Flavor.ram,
        "vcpus": Flavor.vcpus,
        "root_gb": Flavor.disk,
        "ephemeral_gb": Flavor.ephemeral,
        "swap": Flavor.swap,
        "rxtx_factor": Flavor.rxtx_factor,
        "is_public": Flavor.is_public,
        "description": Flavor.description,
        "created_at": Flavor.created_at,
    },
    default_sort=(("flavorid", "asc"),),
    reserved=DETAIL_QUERY,
)


def shared_with(project_id: str | None) -> ColumnElement[bool]:
    """Flavors that everybody has, and those the project was given."""
    given = select(FlavorAccess.flavor_id).where(FlavorAccess.project_id == project_id)
    return or_(Flavor.is_public.is_(True), Flavor.id.in_(given))


def find(call: Call, flavor_id: str) -> Flavor:
    """NotFound when absent or not shared with the caller's project."""
    flavor = _visible(call, flavor_id)
    if flavor is None:
        raise NotFound(f"Flavor {flavor_id} could not be found.")
    return flavor


def any_of(call: Call, flavor_id: str) -> Flavor:
    """For the routes of administrators: whom their rule turns away reads that, not that the flavor is hidden from them."""
    flavor = call.db.get(Flavor, flavor_id)
    if flavor is None:
        raise NotFound(f"Flavor {flavor_id} could not be found.")
    return flavor


def usable(call: Call, ref: str) -> Flavor:
    """The flavor of a request's `flavorRef`: an id, or an address that ends in one. BadRequest when there is none."""
    flavor_id = ref.rstrip("/").rpartition("/")[2]
    flavor = _visible(call, flavor_id)
    if flavor is None:
        raise BadRequest(f"Flavor {flavor_id} could not be found.")
    return flavor


def _visible(call: Call, flavor_id: str) -> Flavor | None:
    query = select(Flavor).where(Flavor.id == flavor_id)
    if not call.context.is_admin:
        query = query.where(shared_with(call.context.project_id))
    return call.db.scalar(query)


def page(call: Call) -> Page[Flavor]:
    """`is_public` (administrators): true (default), false, or none for all."""
    query: Select[Flavor] = select(Flavor)
    asked = (call.query_value("is_public") or "true") if call.context.is_admin else "true"
    if asked.lower() != "none":
        query = query.where(shared_with(call.context.project_id) if boolean(asked) else Flavor.is_public.is_(False))
    return FLAVORS.page(call, query)


def projects_of(call: Call, flavor: Flavor) -> list[str]:
    query = select(FlavorAccess.project_id).where(FlavorAccess.flavor_id == flavor.id).order_by(FlavorAccess.project_id)
    return list(call.db.scalars(query))
