"""Filters that every list of identity has: exact, and the inexact forms of a name (`name__contains`, …)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func
from sqlalchemy.orm import InstrumentedAttribute

from pileus.kernel import clock
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.listing import Filter, exact

Column = InstrumentedAttribute[Any]


def names(attribute: str, column: Column) -> dict[str, Filter]:
    """`name` and its `__` forms; those with an `i` ignore case."""
    return {
        attribute: exact(column),
        f"{attribute}__contains": lambda values: column.contains(values[-1], autoescape=True),
        f"{attribute}__startswith": lambda values: column.startswith(values[-1], autoescape=True),
        f"{attribute}__endswith": lambda values: column.endswith(values[-1], autoescape=True),
        f"{attribute}__icontains": lambda values: _folded(column).contains(values[-1].lower(), autoescape=True),
        f"{attribute}__istartswith": lambda values: _folded(column).startswith(values[-1].lower(), autoescape=True),
        f"{attribute}__iendswith": lambda values: _folded(column).endswith(values[-1].lower(), autoescape=True),
    }


_COMPARE: dict[str, Callable[[Column, datetime], ColumnElement[bool]]] = {
    "lt": lambda column, when: column < when,
    "lte": lambda column, when: column <= when,
    "gt": lambda column, when: column > when,
    "gte": lambda column, when: column >= when,
    "eq": lambda column, when: column == when,
    "neq": lambda column, when: column != when,
}


def moment(column: Column) -> Filter:
    """A time compared: `gt:2030-01-31T12:00:00Z`. Several must all hold. Raises BadRequest."""

    def build(values: list[str]) -> ColumnElement[bool]:
        return and_(*(_compared(column, value) for value in values))

    return build


def _compared(column: Column, value: str) -> ColumnElement[bool]:
    operator, _, text = value.partition(":")
    try:
        return _COMPARE[operator](column, clock.parse(text))
    except (KeyError, ValueError):
        known = ", ".join(_COMPARE)
        raise BadRequest(f"{column.key}={value!r}: write it as gt:2030-01-31T12:00:00Z; operators: {known}.") from None


def _folded(column: Column) -> ColumnElement[str]:
    return func.lower(column)
