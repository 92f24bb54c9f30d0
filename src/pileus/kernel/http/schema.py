"""Request shapes: msgspec structs that refuse unknown fields, with fields marked by the microversions that know them."""

import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec

from pileus.kernel.errors import BadRequest
from pileus.kernel.microversion import Version, version

T = TypeVar("T")
UNSET = msgspec.UNSET
Unset = msgspec.UnsetType


class Shape(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of every request body and of every object in one."""


class OpenShape(msgspec.Struct, kw_only=True):
    """For the few bodies that the API documents as open (identity's and image's extra properties)."""


@dataclass(frozen=True)
class Since:
    """Marks a field that older microversions do not know: `Annotated[str | Unset, since("2.19")] = UNSET`."""

    version: Version


@dataclass(frozen=True)
class Until:
    """Marks a field whose last microversion this was."""

    version: Version


def since(text: str) -> Since:
    return Since(version(text))


def until(text: str) -> Until:
    return Until(version(text))


def read(data: Any, shape: type[T], spoken: Version, *, lax: bool) -> T:
    """`data` (parsed JSON) as a `shape`, or BadRequest that names the field. `lax` lets "1" be 1 and "true" be true."""
    try:
        value = msgspec.convert(data, shape, strict=not lax)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid input: {error}") from None
    _check_versions(value, spoken)
    return value


def _check_versions(value: object, spoken: Version) -> None:
    if isinstance(value, list | tuple):
        for item in value:
            _check_versions(item, spoken)
    elif isinstance(value, msgspec.Struct):
        for name, wire, first, last in _versioned(type(value)):
            held = getattr(value, name)
            if held is UNSET:
                continue
            if (first is not None and spoken < first) or (last is not None and spoken > last):
                raise BadRequest(
                    f"Additional properties are not allowed ({wire!r} was unexpected) in microversion {spoken}"
                )
        for name in _nested(type(value)):
            _check_versions(getattr(value, name), spoken)


@cache
def _versioned(shape: type[msgspec.Struct]) -> tuple[tuple[str, str, Version | None, Version | None], ...]:
    hints = typing.get_type_hints(shape, include_extras=True)
    wire = {field.name: field.encode_name for field in msgspec.structs.fields(shape)}
    out = []
    for name, hint in hints.items():
        marks = getattr(hint, "__metadata__", ())
        first = next((m.version for m in marks if isinstance(m, Since)), None)
        last = next((m.version for m in marks if isinstance(m, Until)), None)
        if name in wire and (first or last):
            out.append((name, wire[name], first, last))
    return tuple(out)


@cache
def _nested(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """Fields that may hold further structs, so that flat shapes cost nothing."""
    return tuple(name for name, hint in typing.get_type_hints(shape).items() if _holds_struct(hint))


def _holds_struct(hint: Any) -> bool:
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        return issubclass(hint, msgspec.Struct)
    return any(_holds_struct(arg) for arg in typing.get_args(hint))
