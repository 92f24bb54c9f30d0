"""Values that have broken clouds, and the ways to put them into requests that are otherwise good."""

import copy
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from pileus.kernel.http.routes import Route, plan

VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**31,
    2**63,
    1e308,
    "",
    "\x00",
    "a\nb\r\n",
    "\U0001f600" * 70,
    "x" * 300,
    "x" * 70000,
    "../../etc/passwd",
    "$(id);`id`|<x>&'\"",
    "%s%n{0.__class__}",
    "0x7f000001",
    "fe80::1%eth0",
    "999.1.1.1/99",
    [],
    ["x"] * 3,
    [None],
    [[]],
    {},
    {"x": {"y": []}},
    {"": "\x00"},
)


def body_shapes(route: Route) -> list[tuple[str | None, Any]]:
    """(action, type of its body) of everything that the operation takes."""
    loads = route.load is not None
    if route.handler is not None:
        return [(None, plan(route.handler, route.path, loads=loads, since=None, until=None).body)]
    return [
        (name, plan(action.handler, route.path, loads=loads, since=None, until=None).body)
        for name, action in (route.actions or {}).items()
    ]


def fields(shape: Any, at: tuple[str, ...] = (), depth: int = 3) -> Iterator[tuple[str, ...]]:
    """Paths of wire names to every field of a body's type, nested ones too."""
    for kind in _structs(shape) if depth else ():
        hints = typing.get_type_hints(kind)
        for field in msgspec.structs.fields(kind):
            here = (*at, field.encode_name)
            yield here
            yield from fields(hints[field.name], here, depth - 1)


def _structs(hint: Any) -> list[type[msgspec.Struct]]:
    """Structs that a value of the type may be; of those inside lists none: their place has no name."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return [hint] if issubclass(hint, msgspec.Struct) else []
    if typing.get_origin(hint) in (list, tuple, dict):
        return []
    return [kind for arg in typing.get_args(hint) for kind in _structs(arg)]


def with_value(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """The body with that one place set, made where it was not."""
    made = copy.deepcopy(body) if isinstance(body, dict) else {}
    place = made
    for name in path[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[path[-1]] = value
    return made
