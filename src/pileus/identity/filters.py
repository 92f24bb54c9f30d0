"""Filters that every list of identity has: exact, and the inexact forms of a name (`name__contains`, …)."""

from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

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


def _folded(column: Column) -> ColumnElement[str]:
    return func.lower(column)
