"""The query parameters of the image list."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from pileus.image.images.models import PENDING_DELETE, Image, ImageProperty, ImageTag
from pileus.image.images.queries import shared_with
from pileus.image.images.views import shows_places
from pileus.image.protections import callers as protections
from pileus.kernel import clock
from pileus.kernel.context import Context
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Filter, Listing, boolean, exact, flag, number

OPERATORS = ("gte", "gt", "lte", "lt", "neq", "eq")
ANSWERS = {"accepted": ("accepted",), "pending": ("pending",), "rejected": ("rejected",), "all": ()}
VISIBILITIES = ("public", "private", "shared", "community", "all")


def one_of(column: "InstrumentedAttribute[str | None] | InstrumentedAttribute[str]") -> Filter:
    """`x`, or `in:x,y` where a value with a comma stands in double quotes."""

    def build(values: list[str]) -> ColumnElement[bool]:
        text = values[-1]
        return column.in_(_listed(text[3:])) if text.startswith("in:") else column == text

    return build


def _listed(text: str) -> list[str]:
    out, rest = [], text
    while rest:
        if rest.startswith('"'):
            value, quote, rest = rest[1:].partition('"')
            if not quote or (rest and not rest.startswith(",")):
                raise BadRequest(f"The quotes in in:{text} do not match.")
            rest = rest[1:]
        else:
            value, _, rest = rest.partition(",")
        out.append(value)
    return out


def moment(column: "InstrumentedAttribute[datetime]") -> Filter:
    """`2026-01-31T12:00:00Z`, or with an operator: `gt:…`, `gte:`, `lt:`, `lte:`, `eq:`, `neq:`."""

    def build(values: list[str]) -> ColumnElement[bool]:
        return and_(*(_compared(column, value) for value in values))

    return build


def _compared(column: "InstrumentedAttribute[datetime]", text: str) -> ColumnElement[bool]:
    operator, colon, rest = text.partition(":")
    operator, rest = (operator, rest) if colon and operator in OPERATORS else ("eq", text)
    try:
        when = clock.parse(rest)
    except ValueError:
        raise BadRequest(f"{text!r} is not a time like gt:2026-01-31T12:00:00Z") from None
    # The API shows whole seconds, so it compares whole seconds.
    start = when.replace(microsecond=0)
    end = start + timedelta(seconds=1)
    within = and_(column >= start, column < end)
    return {
        "gt": column >= end,
        "gte": column >= start,
        "lt": column < start,
        "lte": column < end,
        "eq": within,
        "neq": or_(column < start, column >= end),
    }[operator]


def bound(column: "InstrumentedAttribute[int | None]", *, least: bool) -> Filter:
    def build(values: list[str]) -> ColumnElement[bool]:
        try:
            size = int(values[-1])
        except ValueError:
            size = -1
        if size < 0:
            raise BadRequest("size_min and size_max must be whole numbers of bytes")
        return column >= size if least else column <= size

    return build


def tagged(values: list[str]) -> ColumnElement[bool]:
    """All of the tags."""
    return and_(
        *(exists().where(ImageTag.image_id == Image.id, ImageTag.value == value).correlate(Image) for value in values)
    )


def with_property(name: str, values: list[str]) -> ColumnElement[bool]:
    """A custom property with that very value."""
    return exists().where(
        ImageProperty.image_id == Image.id, ImageProperty.name == name, ImageProperty.value == values[-1]
    )


FILTERS: Mapping[str, Filter] = {
    "id": one_of(Image.id),
    "name": one_of(Image.name),
    "status": one_of(Image.status),
    "disk_format": one_of(Image.disk_format),
    "container_format": one_of(Image.container_format),
    "owner": exact(Image.owner),
    "checksum": exact(Image.checksum),
    "os_hash_algo": exact(Image.os_hash_algo),
    "os_hash_value": exact(Image.os_hash_value),
    "protected": flag(Image.protected),
    "min_ram": number(Image.min_ram),
    "min_disk": number(Image.min_disk),
    "size": number(Image.size),
    "size_min": bound(Image.size, least=True),
    "size_max": bound(Image.size, least=False),
    "created_at": moment(Image.created_at),
    "updated_at": moment(Image.updated_at),
    "tag": tagged,
}
NARROWING = frozenset({"visibility", "member_status", "os_hidden"})  # read by `narrowed`
PAGING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir", "page_reverse"})

IMAGES = Listing(
    model=Image,
    key=Image.id,
    filters=FILTERS,
    sort={
        "id": Image.id,
        "name": Image.name_or_empty,
        "status": Image.status,
        "container_format": Image.container_format_or_empty,
        "disk_format": Image.disk_format_or_empty,
        "size": Image.size_or_zero,
        "created_at": Image.created_at,
        "updated_at": Image.updated_at,
    },
    direction="desc",
)


def narrowed(call: Call) -> Select[Image]:
    """What belongs in this caller's list: visibility, membership, hidden images, and custom properties as filters."""
    given: dict[str, list[str]] = {}
    for name, value in call.query:
        given.setdefault(name, []).append(value)
    answer = given.get("member_status", ["accepted"])[-1]
    if answer not in ANSWERS:
        raise BadRequest(f"member_status is one of {', '.join(ANSWERS)}, not {answer!r}")
    visibility = given.get("visibility", [""])[-1]
    if visibility and visibility not in VISIBILITIES:
        raise BadRequest(f"visibility is one of {', '.join(VISIBILITIES)}, not {visibility!r}")
    query = select(Image).where(Image.status != PENDING_DELETE, _listed_for(call.context, ANSWERS[answer]))
    if shows_places(call.cloud):
        query = query.options(selectinload(Image.locations))
    if visibility == "":  # other projects' community images are in nobody's list unless asked for
        query = query.where(or_(Image.visibility != "community", Image.owner == call.context.project_id))
    elif visibility != "all":
        query = query.where(Image.visibility == visibility)
    query = query.where(Image.os_hidden.is_(boolean(given.get("os_hidden", ["false"])[-1])))
    for name in given.keys() - FILTERS.keys() - NARROWING - PAGING:
        seen = protections.readable(call, {name: name})
        query = query.where(with_property(name, given[name]) if seen else false())
    return query


def _listed_for(context: Context, statuses: tuple[str, ...]) -> ColumnElement[bool]:
    if context.is_admin:
        return true()
    return or_(
        Image.visibility.in_(("public", "community")),
        Image.owner == context.project_id,
        shared_with(context.project_id, statuses),
    )
