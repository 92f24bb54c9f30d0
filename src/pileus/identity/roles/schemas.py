"""The bodies of roles. Open: identity keeps attributes it does not know."""

from typing import Annotated

from msgspec import Meta

from pileus.identity.options import ResourceOptions
from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]


class NewRole(OpenShape):
    name: Name
    domain_id: str | None = None
    description: str | None = None
    options: ResourceOptions | Unset = UNSET


class NewRoleBody(Shape):
    role: NewRole


class RoleChange(OpenShape):
    name: Name | Unset = UNSET
    domain_id: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    options: ResourceOptions | Unset = UNSET


class RoleChangeBody(Shape):
    role: RoleChange
