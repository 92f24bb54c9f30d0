"""The bodies of projects and domains. Both are open: identity keeps attributes it does not know."""

from typing import Annotated

from msgspec import Meta, field

from pileus.identity.options import ResourceOptions
from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S")]
Tag = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^,/]*$")]
Tags = Annotated[list[Tag], Meta(max_length=80)]


class NewProject(OpenShape):
    name: Name
    domain_id: str | None = None
    parent_id: str | None = None
    description: str | None = None
    enabled: bool = True
    is_domain: bool = False
    tags: Tags = field(default_factory=list)
    options: ResourceOptions | Unset = UNSET


class NewProjectBody(Shape):
    project: NewProject


class ProjectChange(OpenShape):
    name: Name | Unset = UNSET
    domain_id: str | Unset | None = UNSET
    parent_id: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    enabled: bool | Unset = UNSET
    is_domain: bool | Unset = UNSET
    tags: Tags | Unset = UNSET
    options: ResourceOptions | Unset = UNSET


class ProjectChangeBody(Shape):
    project: ProjectChange


class NewDomain(OpenShape):
    name: Name
    description: str | None = None
    enabled: bool = True
    tags: Tags = field(default_factory=list)
    options: ResourceOptions | Unset = UNSET
    explicit_domain_id: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9-]{1,64}$")] | Unset = UNSET


class NewDomainBody(Shape):
    domain: NewDomain


class DomainChange(OpenShape):
    name: Name | Unset = UNSET
    description: str | Unset | None = UNSET
    enabled: bool | Unset = UNSET
    options: ResourceOptions | Unset = UNSET


class DomainChangeBody(Shape):
    domain: DomainChange


class TagsBody(Shape):
    tags: Tags
