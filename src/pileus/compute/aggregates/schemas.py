"""Bodies of the aggregate operations (Compute API, Host aggregates)."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Zone = Annotated[
    str, Meta(min_length=1, max_length=255, pattern=r"^[^:\x00-\x1f\x7f]*[^:\s\x00-\x1f\x7f][^:\x00-\x1f\x7f]*$")
]
Key = Annotated[str, Meta(min_length=1, max_length=255)]
Value = Annotated[str, Meta(max_length=255)]


class NewAggregate(Shape):
    name: Name
    availability_zone: Zone | Unset | None = UNSET


class NewAggregateBody(Shape):
    aggregate: NewAggregate


class AggregateChange(Shape):
    name: Name | Unset = UNSET
    availability_zone: Zone | Unset | None = UNSET


class AggregateChangeBody(Shape):
    aggregate: AggregateChange


class HostAction(Shape):
    host: Annotated[str, Meta(min_length=1, max_length=255)]


class MetadataAction(Shape):
    """A value of null removes its key."""

    metadata: dict[Key, Value | None]
