"""Checks of the hints that say something of the host itself: an address range, a query."""

import ipaddress
import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

from pileus.compute.scheduler.filters.hosts import capabilities_of
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.kernel.errors import BadRequest

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "in": operator.eq,  # to any of the others
}
DEEPEST = 16


def cidr(request: Request, state: HostState) -> Refusal | None:
    """`build_near_host_ip` with `cidr`: hosts whose address is in that network."""
    if request.near is None:
        return None
    address, prefix = request.near
    network = ipaddress.ip_network(f"{address}{prefix}", strict=False)
    if ipaddress.ip_address(state.host.address) in network:
        return None
    return Refusal(f"is not in {network}", f"it is {state.host.address}")


def parse_near(address: str | None, prefix: str | None) -> tuple[str, str] | None:
    """Raises BadRequest."""
    if address is None:
        return None
    prefix = "/" + (prefix or "/24").removeprefix("/")
    try:
        ipaddress.ip_network(f"{address}{prefix}", strict=False)
    except ValueError:
        raise BadRequest(f"build_near_host_ip {address!r} with cidr {prefix!r} is not a network.") from None
    return address, prefix


def query(request: Request, state: HostState) -> Refusal | None:
    """`["and", [">=", "$free_ram_mb", 1024], …]` over what the host says of itself."""
    if request.query is None:
        return None
    return None if _holds(request.query, capabilities_of(state)) else Refusal("does not match the hint query")


def parse_query(text: str | None) -> object:
    """Raises BadRequest for what is not a query."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("The hint query is not JSON.") from None
    _check(found, 0)
    return found


def _check(part: object, depth: int) -> None:
    if not isinstance(part, list) or not part or not isinstance(part[0], str) or depth > DEEPEST:
        raise BadRequest('The hint query is a list that begins with an operator: [">=", "$free_ram_mb", 1024].')
    word, *rest = part
    if word in ("and", "or", "not"):
        if not rest:
            raise BadRequest(f"The hint query has {word!r} of nothing.")
        for each in rest:
            _check(each, depth + 1)
    elif word not in COMPARISONS:
        raise BadRequest(f"The hint query has the unknown operator {word!r}.")
    elif len(rest) < 2 or any(isinstance(each, list | dict) for each in rest):
        raise BadRequest(f"The hint query compares two or more plain values with {word!r}.")


def _holds(part: Any, known: Mapping[str, str]) -> bool:
    word, *rest = part
    if word == "and":
        return all(_holds(each, known) for each in rest)
    if word == "or":
        return any(_holds(each, known) for each in rest)
    if word == "not":
        return not any(_holds(each, known) for each in rest)
    first, *others = (_value(each, known) for each in rest)
    compare = COMPARISONS[word]
    every = any if word == "in" else all
    return every(_comparable(first, other) and compare(*_alike(first, other)) for other in others)


def _value(part: Any, known: Mapping[str, str]) -> Any:
    return known.get(part[1:].replace(".", ":")) if isinstance(part, str) and part.startswith("$") else part


def _comparable(one: object, other: object) -> bool:
    return one is not None and other is not None


def _alike(one: Any, other: Any) -> tuple[Any, Any]:
    """As numbers when both are, else as texts."""
    try:
        return float(one), float(other)
    except (TypeError, ValueError):
        return str(one), str(other)
