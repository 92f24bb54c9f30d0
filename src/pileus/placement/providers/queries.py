"""Finding resource providers: by id, and by what they have."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, func, literal, select
from sqlalchemy.orm import Session

from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call
from pileus.placement import query
from pileus.placement.allocations.models import Allocation
from pileus.placement.errors import PROVIDER_NOT_FOUND
from pileus.placement.providers.models import Inventory, Provider, ProviderAggregate, ProviderTrait

KNOWN = {"name": "1.0", "uuid": "1.0", "member_of": "1.3", "resources": "1.4", "in_tree": "1.14", "required": "1.18"}
REPEATABLE = {"member_of": "1.24", "required": "1.39"}


def find(db: Session, provider_id: str) -> Provider:
    provider = db.get(Provider, provider_id.lower())
    if provider is None:
        raise NotFound(f"No resource provider with uuid {provider_id} found.", kind=PROVIDER_NOT_FOUND)
    return provider


def listed(call: Call) -> Sequence[Provider]:
    """The providers that the request's filters leave, in one query."""
    given = query.parameters(call, KNOWN, REPEATABLE)
    found = select(Provider).order_by(Provider.created_at, Provider.id)
    if "name" in given:
        found = found.where(Provider.name == given["name"][0])
    if "uuid" in given:
        found = found.where(Provider.id == query.provider_id(given["uuid"][0], "uuid"))
    if "in_tree" in given:
        member = query.provider_id(given["in_tree"][0], "in_tree")
        found = found.where(Provider.root_id == select(Provider.root_id).where(Provider.id == member).scalar_subquery())
    if "resources" in given:
        for name, amount in query.amounts(call, given["resources"][0]).items():
            found = found.where(_can_give(name, amount))
    found = _with_traits(found, query.trait_terms(call, given.get("required", [])))
    found = _in_aggregates(found, query.membership(call, given.get("member_of", [])))
    return call.db.scalars(found).all()


def _can_give(name: str, amount: int) -> ColumnElement[bool]:
    used = (
        select(func.coalesce(func.sum(Allocation.used), 0))
        .where(Allocation.provider_id == Inventory.provider_id, Allocation.resource_class == name)
        .correlate(Inventory)
        .scalar_subquery()
    )
    return exists().where(
        Inventory.provider_id == Provider.id,
        Inventory.resource_class == name,
        Inventory.min_unit <= amount,
        Inventory.max_unit >= amount,
        literal(amount) % Inventory.step_size == 0,
        (Inventory.total - Inventory.reserved) * Inventory.allocation_ratio >= used + amount,
    )


def _with_traits(found: Select[Provider], terms: query.TraitTerms) -> Select[Provider]:
    for any_of in terms.required:
        found = found.where(_has_trait(any_of))
    return found.where(~_has_trait(terms.forbidden)) if terms.forbidden else found


def _has_trait(any_of: frozenset[str]) -> ColumnElement[bool]:
    return exists().where(ProviderTrait.provider_id == Provider.id, ProviderTrait.trait.in_(any_of))


def _in_aggregates(found: Select[Provider], terms: query.Membership) -> Select[Provider]:
    for any_of in terms.within:
        found = found.where(_is_member(any_of))
    return found.where(~_is_member(terms.outside)) if terms.outside else found


def _is_member(any_of: frozenset[str]) -> ColumnElement[bool]:
    return exists().where(ProviderAggregate.provider_id == Provider.id, ProviderAggregate.aggregate_id.in_(any_of))
