"""Lists, once for all: filters, sorting and marker paging, declared per resource, answered by one query."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute, lazyload

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call

T = TypeVar("T")
Filter = Callable[[list[str]], ColumnElement[bool]]
Column = InstrumentedAttribute[Any]

TRUE, FALSE = {"true", "1", "yes", "on", "t", "y"}, {"false", "0", "no", "off", "f", "n"}


def boolean(text: str) -> bool:
    """`true`, `True`, `1`, `yes`, … as the APIs take them in queries. Raises BadRequest."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise BadRequest(f"{text!r} is not a boolean")


def exact(column: Column) -> Filter:
    """Any of the values given."""
    return lambda values: column == values[0] if len(values) == 1 else column.in_(values)


def flag(column: Column) -> Filter:
    return lambda values: column.is_(boolean(values[-1]))


def number(column: Column) -> Filter:
    def build(values: list[str]) -> ColumnElement[bool]:
        try:
            return column.in_([int(value) for value in values])
        except ValueError:
            raise BadRequest(f"{column.key} must be a number") from None

    return build


def contains(column: Column) -> Filter:
    return lambda values: column.contains(values[-1], autoescape=True)


@dataclass(frozen=True)
class Page(Generic[T]):
    """`items` of this page; `more` when a further one follows after the last item's id."""

    items: Sequence[T]
    limit: int | None
    more: bool


@dataclass(frozen=True)
class Listing(Generic[T]):
    """How one resource is listed.

    `sort` maps API names to columns; ties are broken by `key`. `reserved` are query names that the handler reads itself.
    `strict` refuses unknown query names with 400 instead of ignoring them. `max_limit` caps a page. `direction` is that of a sort
    key which comes without one.
    """

    model: type[T]
    key: Column
    filters: Mapping[str, Filter]
    sort: Mapping[str, Column]
    default_sort: tuple[tuple[str, str], ...] = (("created_at", "desc"),)
    reserved: frozenset[str] = frozenset()
    strict: bool = False
    max_limit: int = 1000
    always_limited: bool = True
    direction: str = "asc"

    def page(self, call: Call, query: Select[T]) -> Page[T]:
        """Run `query` (already narrowed to what the caller may see) with the request's filters, order and page."""
        given: dict[str, list[str]] = {}
        for name, value in call.query:
            given.setdefault(name, []).append(value)
        limit = self._limit(given.pop("limit", []))
        marker = given.pop("marker", [None])[-1]
        backwards = boolean(given.pop("page_reverse", ["false"])[-1])
        order = self._order(given)
        scope = query
        for name, values in given.items():
            if (make := self.filters.get(name)) is not None:
                query = query.where(make(values))
            elif self.strict and name not in self.reserved:
                raise BadRequest(f"Invalid query parameter: {name}")
        if backwards:
            order = [(column, "asc" if direction == "desc" else "desc") for column, direction in order]
        if marker:
            query = query.where(self._after(call, scope, marker, order))
        query = query.order_by(*(c.desc() if d == "desc" else c.asc() for c, d in order))
        if limit is not None:
            query = query.limit(limit + 1)
        rows = list(call.db.scalars(query))
        more = limit is not None and len(rows) > limit
        rows = rows[:limit]
        return Page(rows[::-1] if backwards else rows, limit, more)

    def _limit(self, values: list[str]) -> int | None:
        if not values:
            return self.max_limit if self.always_limited else None
        try:
            limit = int(values[-1])
        except ValueError:
            raise BadRequest(f"limit must be an integer, not {values[-1]!r}") from None
        if limit < 0:
            raise BadRequest("limit must not be negative")
        return min(limit, self.max_limit)

    def _order(self, given: dict[str, list[str]]) -> list[tuple[Column, str]]:
        """Accepts `sort_key`/`sort_dir` pairs and the `sort=key:dir,key:dir` form."""
        keys, directions = given.pop("sort_key", []), given.pop("sort_dir", [])
        pairs = [(key, directions[i] if i < len(directions) else self.direction) for i, key in enumerate(keys)]
        for part in ",".join(given.pop("sort", [])).split(","):
            if part:
                key, _, direction = part.partition(":")
                pairs.append((key, direction or self.direction))
        order: list[tuple[Column, str]] = []
        for key, direction in pairs or self.default_sort:
            if key not in self.sort:
                raise BadRequest(f"Invalid sort key: {key}; known: {', '.join(sorted(self.sort))}")
            if direction.lower() not in ("asc", "desc"):
                raise BadRequest(f"Invalid sort direction: {direction}; it is asc or desc")
            if all(column is not self.sort[key] for column, _ in order):  # a key named again orders nothing more
                order.append((self.sort[key], direction.lower()))
        if all(column.key != self.key.key for column, _ in order):
            order.append((self.key, order[-1][1]))
        return order

    def _after(self, call: Call, scope: Select[T], marker: str, order: list[tuple[Column, str]]) -> ColumnElement[bool]:
        """Rows beyond the marker, which must be one that the caller may see."""
        row = call.db.scalars(scope.where(self.key == marker).options(lazyload("*"))).first()
        if row is None:
            raise BadRequest(f"marker [{marker}] not found", kind="MarkerNotFound")
        terms = []
        for i, (column, direction) in enumerate(order):
            ties = (_equal(c, getattr(row, c.key)) for c, _ in order[:i])
            terms.append(and_(*ties, _beyond(column, getattr(row, column.key), direction)))
        first, direction = order[0]
        return and_(_start(first, getattr(row, first.key), direction), or_(*terms))

    def next_link(self, call: Call, page: Page[T], path: str) -> str | None:
        """The address of the next page, with the request's own parameters."""
        if not page.more or not page.items:
            return None
        rest = [(name, value) for name, value in call.query if name != "marker"]
        return call.url(path) + "?" + urlencode([*rest, ("marker", str(getattr(page.items[-1], self.key.key)))])


def _equal(column: Column, value: object) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _start(column: Column, value: object, direction: str) -> ColumnElement[bool]:
    """What holds for every later row, if anything simple does: an index begins at the marker, and deep pages cost what the first does."""
    if value is None or (direction == "desc" and getattr(column.expression, "nullable", True)):
        return true()
    bound: ColumnElement[bool] = column >= value if direction == "asc" else column <= value
    return bound


def _beyond(column: Column, value: Any, direction: str) -> ColumnElement[bool]:
    """Later in the order than `value`; NULL comes before everything, as SQLite and MariaDB sort it."""
    if direction == "asc":
        return column.is_not(None) if value is None else column > value
    return false() if value is None else or_(column < value, column.is_(None))
