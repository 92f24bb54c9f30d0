"""Filters and pages of what is at hand whole: the catalog's entries, of which some are no rows."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from pileus.identity.catalog.models import Endpoint, Region, Service
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import boolean

T = TypeVar("T", Service, Endpoint, Region)

_TESTS: dict[str, Callable[[str, str], bool]] = {
    "": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "icontains": lambda held, asked: asked.lower() in held.lower(),
    "istartswith": lambda held, asked: held.lower().startswith(asked.lower()),
    "iendswith": lambda held, asked: held.lower().endswith(asked.lower()),
}


def matching(call: Call, rows: Sequence[T], attributes: Sequence[str]) -> list[T]:
    """Those that the request's query asks for: `type=…`, `name__icontains=…`, `enabled=true`. What it does not know it ignores."""
    found = list(rows)
    for key, value in call.query:
        attribute, _, form = key.partition("__")
        if attribute not in attributes or form not in _TESTS:
            continue
        if attribute == "enabled":
            wanted = boolean(value)
            found = [row for row in found if getattr(row, attribute) is wanted]
        else:
            found = [row for row in found if _TESTS[form](getattr(row, attribute) or "", value)]
    return found


def page(call: Call, rows: Sequence[T], path: str) -> tuple[Sequence[T], str | None]:
    """The part that `limit` and `marker` ask for, and the address of what follows it. Raises BadRequest."""
    marker, limit = call.query_value("marker"), call.query_value("limit")
    if marker:
        at = next((i for i, row in enumerate(rows) if row.id == marker), None)
        if at is None:
            raise BadRequest(f"marker [{marker}] not found", kind="MarkerNotFound")
        rows = rows[at + 1 :]
    if limit is None:
        return rows, None
    try:
        most = int(limit)
    except ValueError:
        most = -1
    if most < 0:
        raise BadRequest(f"limit must be an integer that is not negative, not {limit[:20]!r}")
    shown = rows[:most]
    if not shown or len(shown) == len(rows):
        return shown, None
    rest: list[tuple[str, str]] = [(name, value) for name, value in call.query if name != "marker"]
    return shown, call.url(path) + "?" + urlencode([*rest, ("marker", shown[-1].id)])
