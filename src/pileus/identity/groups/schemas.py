"""The bodies of groups. Open: identity keeps attributes it does not know."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S")]


class NewGroup(OpenShape):
    name: Name
    domain_id: str | None = None
    description: str | None = None


class NewGroupBody(Shape):
    group: NewGroup


class GroupChange(OpenShape):
    name: Name | Unset = UNSET
    domain_id: str | Unset = UNSET
    description: str | Unset | None = UNSET


class GroupChangeBody(Shape):
    group: GroupChange
