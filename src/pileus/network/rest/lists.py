"""What all lists and views of this service have in common: standard filters, `fields`, links, hidden attributes, tags."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pileus.kernel import clock
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Filter, Listing, exact, number
from pileus.network.attributes import Named, StandardAttributes, Tag

T = TypeVar("T", bound=StandardAttributes)
Column = InstrumentedAttribute[Any]
MOST_TAGS = 50
LARGEST_PAGE = 1000
STANDARD = ("id", "project_id", "description", "revision_number", "created_at", "updated_at")


def listing(model: type[T], filters: Mapping[str, Filter], sort: Iterable[str] = ()) -> Listing[T]:
    """Standard attributes are filters and sort keys of everything; `sort` names further columns."""
    columns: dict[str, Column] = {name: getattr(model, name) for name in (*STANDARD, *sort)}
    columns["tenant_id"] = columns["project_id"]
    own: dict[str, Filter] = {name: exact(columns[name]) for name in ("id", "project_id", "tenant_id", "description")}
    if issubclass(model, Named):
        columns["name"] = model.name
        own["name"] = exact(columns["name"])
    own["revision_number"] = number(columns["revision_number"])
    return Listing(
        model=model,
        key=columns["id"],
        filters={**own, **_tag_filters(columns["id"]), **filters},
        sort=columns,
        default_sort=(("id", "asc"),),
        reserved=frozenset({"fields"}),
        strict=True,
        max_limit=LARGEST_PAGE,
    )


def _tag_filters(key: Column) -> dict[str, Filter]:
    def has(tag: str) -> ColumnElement[bool]:
        return select(Tag.tag).where(Tag.resource_id == key, Tag.tag == tag).exists()

    def split(values: list[str]) -> list[ColumnElement[bool]]:
        wanted = sorted(set(",".join(values).split(",")))
        if len(wanted) > MOST_TAGS:
            raise BadRequest(f"At most {MOST_TAGS} tags can be asked for at once.")
        return [has(tag) for tag in wanted]

    return {
        "tags": lambda values: and_(*split(values)),
        "tags-any": lambda values: or_(*split(values)),
        "not-tags": lambda values: not_(and_(*split(values))),
        "not-tags-any": lambda values: not_(or_(*split(values))),
    }


def listed(
    call: Call,
    listing: Listing[T],
    query: Select[T],
    plural: str,
    show: Callable[[Call, Sequence[T]], list[Json]],
    path: str = "",
) -> Json:
    """One page with its links."""
    page = listing.page(call, query)
    out: Json = {plural: show(call, page.items)}
    backwards = (call.query_value("page_reverse") or "").lower() in ("true", "1")
    ahead, behind = (
        (call.query_value("marker") is not None, page.more)
        if backwards
        else (page.more, call.query_value("marker") is not None)
    )
    links = []
    if page.items and ahead:
        links.append({"rel": "next", "href": _link(call, path or plural, page.items[-1].id, backwards=False)})
    if page.items and behind:
        links.append({"rel": "previous", "href": _link(call, path or plural, page.items[0].id, backwards=True)})
    if links:
        out[f"{plural}_links"] = links
    return out


def _link(call: Call, path: str, marker: str, *, backwards: bool) -> str:
    rest = [(name, value) for name, value in call.query if name not in ("marker", "page_reverse")]
    rest.append(("marker", marker))
    if backwards:
        rest.append(("page_reverse", "True"))
    return call.url(f"/v2.0/{path}") + "?" + urlencode(rest)


class Sight:
    """Which attributes a caller may see (`get_network:provider:network_type`); asked once for each owner, not for each row."""

    def __init__(self, call: Call, action: str, attributes: Iterable[str]) -> None:
        self._call = call
        self._rules = [(name, f"{action}:{name}") for name in attributes]
        self._hidden: dict[tuple[object, ...], frozenset[str]] = {}
        self._fields = (
            {value for name, value in call.query if name == "fields" and value}
            if call.request.method == "GET"
            else set()
        )

    def of(self, row: StandardAttributes, view: Json) -> Json:
        """The view without what is hidden, and with no more than the `fields` asked for."""
        target = row.policy_target()
        key = tuple(value for name, value in target.items() if name != "id")
        hidden = self._hidden.get(key)
        if hidden is None:
            hidden = frozenset(name for name, rule in self._rules if not self._call.allows(rule, target))
            self._hidden[key] = hidden
        if not hidden and not self._fields:
            return view
        return {
            name: value
            for name, value in view.items()
            if name not in hidden and (not self._fields or name in self._fields)
        }


def standard(row: StandardAttributes, tags: Mapping[str, list[str]]) -> Json:
    """The attributes that everything has."""
    return {
        "id": row.id,
        "tenant_id": row.project_id,
        "project_id": row.project_id,
        "description": row.description,
        "revision_number": row.revision_number,
        "created_at": clock.iso(row.created_at),
        "updated_at": clock.iso(row.updated_at),
        "tags": tags.get(row.id, []),
    }


def tags_of(db: Session, rows: Sequence[StandardAttributes]) -> dict[str, list[str]]:
    return (
        grouped(
            db, select(Tag.resource_id, Tag.tag).where(Tag.resource_id.in_([row.id for row in rows])).order_by(Tag.tag)
        )
        if rows
        else {}
    )


def grouped(db: Session, query: Select[Any, Any]) -> dict[str, list[str]]:
    """Pairs (key, value) as lists by key."""
    out: dict[str, list[str]] = defaultdict(list)
    for key, value in db.execute(query):
        out[key].append(value)
    return out


def visible(call: Call, column: Column, *others: ColumnElement[bool]) -> ColumnElement[bool] | None:
    """Rows of the caller's project, or any of `others`; None when the caller sees all."""
    if call.context.is_admin:
        return None
    return or_(column == (call.context.project_id or ""), *others)
