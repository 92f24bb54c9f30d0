"""Flavors: the table, and thin handlers."""

from sqlalchemy import select

from pileus.compute.flavors import access, extra_specs, queries, views
from pileus.compute.flavors.models import Flavor
from pileus.compute.flavors.policy import ACCESS, MANAGE, SPECS
from pileus.compute.flavors.schemas import FlavorChangeBody, NewFlavorBody
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.kernel.db import new_id
from pileus.kernel.errors import Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Page
from pileus.kernel.http.routes import Action, Route
from pileus.kernel.http.schema import Unset

KNOWN = (*PAGING, "sort_key", "sort_dir", "is_public", "minRam", "minDisk")


def index(call: Call) -> Json:
    page = _page(call)
    return _listed(call, page, [views.brief(call, flavor) for flavor in page.items], "/v2.1/flavors")


def detail(call: Call) -> Json:
    page, specs = _page(call), views.shows_extra_specs(call)
    shown = [views.detail(call, flavor, with_extra_specs=specs) for flavor in page.items]
    return _listed(call, page, shown, "/v2.1/flavors/detail")


def _page(call: Call) -> Page[Flavor]:
    refuse_unknown(call, KNOWN)
    return queries.page(call)


def _listed(call: Call, page: Page[Flavor], items: list[Json], path: str) -> Json:
    link = queries.FLAVORS.next_link(call, page, path)
    return {"flavors": items} | ({"flavors_links": [{"rel": "next", "href": link}]} if link else {})


def show(call: Call, flavor: Flavor) -> Json:
    return {"flavor": views.detail(call, flavor, with_extra_specs=views.shows_extra_specs(call))}


def create(call: Call, body: NewFlavorBody) -> Json:
    asked = body.flavor
    name = asked.name.strip()
    flavor_id = new_id() if isinstance(asked.id, Unset) or asked.id in (None, "auto") else str(asked.id)
    for taken in call.db.scalars(select(Flavor).where((Flavor.id == flavor_id) | (Flavor.name == name))):
        clash = f"ID {flavor_id}" if taken.id == flavor_id else f"name {name}"
        raise Conflict(f"Flavor with {clash} already exists.")
    flavor = Flavor(
        id=flavor_id,
        name=name,
        description=None if isinstance(asked.description, Unset) else asked.description,
        ram=asked.ram,
        vcpus=asked.vcpus,
        disk=asked.disk,
        ephemeral=asked.ephemeral,
        swap=asked.swap,
        rxtx_factor=asked.rxtx_factor,
        is_public=asked.is_public,
        extra_specs={},
    )
    call.db.add(flavor)
    call.db.flush()
    return show(call, flavor)


def update(call: Call, flavor: Flavor, body: FlavorChangeBody) -> Json:
    flavor.description = body.flavor.description
    return show(call, flavor)


def delete(call: Call, flavor: Flavor) -> None:
    """Servers keep the copy that they were made with."""
    call.db.delete(flavor)


VERBS = {
    "addTenantAccess": Action(access.add, f"{ACCESS}:add_tenant_access", status=200),
    "removeTenantAccess": Action(access.remove, f"{ACCESS}:remove_tenant_access", status=200),
}

F = "/v2.1/flavors/{flavor_id}"
ROUTES = (
    Route("GET", "/v2.1/flavors", index, "anyone"),
    Route("GET", "/v2.1/flavors/detail", detail, "anyone"),
    Route("POST", "/v2.1/flavors", create, f"{MANAGE}:create"),
    Route("GET", F, show, "anyone", load=queries.find),
    Route("PUT", F, update, f"{MANAGE}:update", load=queries.find, since="2.55"),
    Route("DELETE", F, delete, f"{MANAGE}:delete", load=queries.find, status=202),
    Route("POST", f"{F}/action", load=queries.any_of, actions=VERBS),
    Route("GET", f"{F}/os-flavor-access", access.index, ACCESS, load=queries.find),
    Route("GET", f"{F}/os-extra_specs", extra_specs.index, f"{SPECS}:index"),
    Route("POST", f"{F}/os-extra_specs", extra_specs.create, f"{SPECS}:create"),
    Route("GET", f"{F}/os-extra_specs/{{key}}", extra_specs.show, f"{SPECS}:show"),
    Route("PUT", f"{F}/os-extra_specs/{{key}}", extra_specs.update, f"{SPECS}:update"),
    Route("DELETE", f"{F}/os-extra_specs/{{key}}", extra_specs.delete, f"{SPECS}:delete"),
)
