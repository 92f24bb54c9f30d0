"""Filters and values that are not plain columns."""

from sqlalchemy import ColumnElement, false, true

from pileus.kernel.http.listing import Filter


def always(*forms: str) -> Filter:
    """An attribute that has the same value in every row, in the forms that a query may write it."""

    def build(values: list[str]) -> ColumnElement[bool]:
        return true() if any(form in values for form in forms) else false()

    return build
