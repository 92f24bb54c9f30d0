"""Resource options: per-row switches that change how identity treats the row."""

from typing import Any

import msgspec

from pileus.kernel.errors import Forbidden
from pileus.kernel.http.schema import UNSET, Shape, Unset

Options = dict[str, Any]


class ResourceOptions(Shape):
    """Of projects, domains and roles. An immutable row can only be made mutable again."""

    immutable: bool | Unset | None = UNSET


def asked(given: msgspec.Struct | Unset) -> Options:
    """The options that a body names."""
    found: Options = msgspec.to_builtins(given) if isinstance(given, msgspec.Struct) else {}
    return found


def merged(old: Options, given: msgspec.Struct | Unset) -> Options:
    """Null takes an option away."""
    return {name: value for name, value in {**old, **asked(given)}.items() if value is not None}


def check_mutable(options: Options, what: str, changes: Options | None = None) -> None:
    """Raises Forbidden for an update (`changes`: the options it sets) or a delete of an immutable row."""
    if options.get("immutable") and not (changes is not None and changes.get("immutable", True) in (False, None)):
        raise Forbidden(f"{what} is immutable: set its option immutable to false first.")
