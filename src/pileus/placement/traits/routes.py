"""Traits: what providers are like (Placement API, Traits)."""

from sqlalchemy import exists, select

from pileus.kernel.errors import BadRequest, Conflict, NotFound
from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.listing import boolean
from pileus.kernel.http.routes import Route
from pileus.placement import query
from pileus.placement.freshness import fresh
from pileus.placement.names import is_custom
from pileus.placement.providers.models import ProviderTrait
from pileus.placement.traits import catalogue
from pileus.placement.traits.models import CustomTrait

PATH = "/traits"
ONE = f"{PATH}/{{name}}"


def index(call: Call) -> Reply:
    given = query.parameters(call, {"name": "1.6", "associated": "1.6"}, {})
    names = set(catalogue.standard()) | set(call.db.scalars(select(CustomTrait.name)))
    if "name" in given:
        kind, _, text = given["name"][0].partition(":")
        if kind == "in" and text:
            names &= set(text.split(","))
        elif kind == "startswith" and text:
            names = {name for name in names if name.startswith(text)}
        else:
            raise query.bad("Query parameter name is in:TRAIT[,TRAIT…] or startswith:PREFIX.")
    if "associated" in given:
        held = set(call.db.scalars(select(ProviderTrait.trait).distinct()))
        names = names & held if boolean(given["associated"][0]) else names - held
    return fresh(call, {"traits": sorted(names)})


def show(call: Call, name: str) -> Reply:
    if catalogue.unknown(call.db, [name]):
        raise NotFound(f"No such trait: {name}.")
    return fresh(call)


def ensure(call: Call, name: str) -> Reply:
    if not is_custom(name):
        raise BadRequest(
            f"{name} can not be made: a custom trait begins with CUSTOM_, goes on with A-Z, 0-9 and _, "
            "and has at most 255 characters."
        )
    made = call.db.get(CustomTrait, name) is None
    if made:
        call.db.add(CustomTrait(name=name))
        call.db.flush()
    return fresh(call, status=201 if made else 204, headers={"location": call.url(f"{PATH}/{name}")})


def destroy(call: Call, name: str) -> None:
    trait = call.db.get(CustomTrait, name, with_for_update=True)
    if trait is None:
        if catalogue.unknown(call.db, [name]):
            raise NotFound(f"No such trait: {name}.")
        raise BadRequest(f"{name} is a standard trait: it can not be deleted.")
    if call.db.scalar(select(exists().where(ProviderTrait.trait == name))):
        raise Conflict(f"Trait {name} is in use by a resource provider.")
    call.db.delete(trait)


ROUTES = (
    Route("GET", PATH, index, "placement:traits:list", since="1.6"),
    Route("GET", ONE, show, "placement:traits:show", since="1.6", status=204),
    Route("PUT", ONE, ensure, "placement:traits:update", since="1.6"),
    Route("DELETE", ONE, destroy, "placement:traits:delete", since="1.6", status=204),
)
