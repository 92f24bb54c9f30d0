"""The body of a new application credential."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Secret = Annotated[str, Meta(min_length=1, max_length=4096)]


class RoleDomain(OpenShape):
    id: str | None = None
    name: str | None = None


class RoleRef(OpenShape):
    id: str | None = None
    name: str | None = None
    domain: RoleDomain | None = None


class AccessRule(OpenShape):
    id: str | None = None
    service: str | None = None
    path: str | None = None
    method: str | None = None


class NewCredential(OpenShape):
    name: Name
    secret: Secret | Unset | None = UNSET
    description: str | Unset | None = UNSET
    expires_at: str | Unset | None = UNSET
    roles: list[RoleRef] | Unset = UNSET
    unrestricted: bool | Unset | None = UNSET
    access_rules: list[AccessRule] | Unset = UNSET


class NewCredentialBody(Shape):
    application_credential: NewCredential
