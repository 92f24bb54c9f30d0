"""The little languages of placement's query strings: amounts, traits, memberships (Placement API, Request parameters)."""

from collections.abc import Mapping
from typing import NamedTuple

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call
from pileus.kernel.microversion import Version
from pileus.placement.errors import BAD_VALUE, DUPLICATE_KEY
from pileus.placement.names import LARGEST, canonical
from pileus.placement.resource_classes import catalogue as classes
from pileus.placement.traits import catalogue as traits


class TraitTerms(NamedTuple):
    """Of each set in `required` one must be there; of `forbidden` none may."""

    required: tuple[frozenset[str], ...] = ()
    forbidden: frozenset[str] = frozenset()

    def allow(self, held: frozenset[str]) -> bool:
        return all(any_of & held for any_of in self.required) and not self.forbidden & held


class Membership(NamedTuple):
    """In one aggregate of each set in `within`, in none of `outside`."""

    within: tuple[frozenset[str], ...] = ()
    outside: frozenset[str] = frozenset()

    def allows(self, held: frozenset[str]) -> bool:
        return all(any_of & held for any_of in self.within) and not self.outside & held


def bad(message: str) -> BadRequest:
    return BadRequest(message, kind=BAD_VALUE)


def parameters(call: Call, known: Mapping[str, str], repeatable: Mapping[str, str]) -> dict[str, list[str]]:
    """The query by name. `known` gives the microversion that brought each name, `repeatable` the one since it may come twice."""
    given: dict[str, list[str]] = {}
    for name, value in call.query:
        if name not in known or not spoken_since(call, known[name]):
            raise BadRequest(f"Invalid query parameter {name!r} in microversion {call.version}.")
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        if len(values) > 1 and not (name in repeatable and spoken_since(call, repeatable[name])):
            raise BadRequest(f"Query parameter {name!r} may be given only once.", kind=DUPLICATE_KEY)
    return given


def spoken_since(call: Call, text: str) -> bool:
    major, _, minor = text.partition(".")
    return call.version >= Version(int(major), int(minor))


def amounts(call: Call, text: str) -> dict[str, int]:
    """`VCPU:2,MEMORY_MB:512`."""
    wanted: dict[str, int] = {}
    for part in text.split(","):
        name, colon, amount = part.partition(":")
        if not (name and colon and amount.isascii() and amount.isdigit() and 0 < int(amount[:11]) <= LARGEST):
            raise bad(f"Badly formed resources parameter {text!r}; expected CLASS:AMOUNT[,CLASS:AMOUNT…].")
        if name in wanted:
            raise bad(f"Resource class {name} comes twice in {text!r}.")
        wanted[name] = int(amount)
    if strange := classes.unknown(call.db, wanted):
        raise bad(f"No such resource class: {', '.join(sorted(strange))}.")
    return wanted


def trait_terms(call: Call, values: list[str], *, forbidding: str = "1.22") -> TraitTerms:
    """`A,!B`, and since 1.39 `in:A,B` and more than one of them."""
    required: list[frozenset[str]] = []
    forbidden: set[str] = set()
    for value in values:
        if value.startswith("in:") and call.at_least(1, 39):
            required.append(_set(value.removeprefix("in:"), "required"))
            continue
        for term in _set(value, "required"):
            if term.startswith("!") and spoken_since(call, forbidding):
                forbidden.add(term[1:])
            else:
                required.append(frozenset((term,)))
    if strange := traits.unknown(call.db, forbidden.union(*required)):
        raise bad(f"No such trait: {', '.join(sorted(strange))}.")
    if both := forbidden & {term for any_of in required if len(any_of) == 1 for term in any_of}:
        raise bad(f"Traits both required and forbidden: {', '.join(sorted(both))}.")
    return TraitTerms(tuple(required), frozenset(forbidden))


def membership(call: Call, values: list[str]) -> Membership:
    """`<aggregate>`, `in:<aggregate>,<aggregate>`, and since 1.32 either with `!` before it."""
    within: list[frozenset[str]] = []
    outside: set[str] = set()
    for value in values:
        denied = value.startswith("!") and call.at_least(1, 32)
        text = value[1:] if denied else value
        ids = _set(text.removeprefix("in:"), "member_of") if text.startswith("in:") else frozenset((text,))
        found = frozenset(provider_id(aggregate, "member_of") for aggregate in ids)
        if denied:
            outside |= found
        else:
            within.append(found)
    return Membership(tuple(within), frozenset(outside))


def provider_id(text: str, name: str) -> str:
    try:
        return canonical(text, f"Query parameter {name}")
    except BadRequest as error:
        raise bad(error.message) from None


def _set(text: str, name: str) -> frozenset[str]:
    parts = text.split(",")
    if "" in parts:
        raise bad(f"Query parameter {name} has an empty part: {text!r}.")
    return frozenset(parts)
