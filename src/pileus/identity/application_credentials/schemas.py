"""The body of a new application credential."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Secret = Annotated[str, Meta(min_length=1, max_length=4096)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Path = Annotated[str, Meta(min_length=1, max_length=255, pattern="^/[^?#]*$")]
ServiceType = Annotated[str, Meta(min_length=1, max_length=64)]


class RoleDomain(OpenShape):
    id: str | None = None
    name: str | None = None


class RoleRef(OpenShape):
    id: str | None = None
    name: str | None = None
    domain: RoleDomain | None = None


class NewRule(Shape):
    """One that the user has already, by `id`; or a new one, by the three others."""

    id: str | Unset = UNSET
    service: ServiceType | Unset = UNSET
    path: Path | Unset = UNSET
    method: Method | Unset = UNSET


class NewCredential(OpenShape):
    name: Name
    secret: Secret | Unset | None = UNSET
    description: str | Unset | None = UNSET
    expires_at: str | Unset | None = UNSET
    roles: list[RoleRef] | Unset = UNSET
    unrestricted: bool | Unset | None = UNSET
    access_rules: list[NewRule] | Unset | None = UNSET


class NewCredentialBody(Shape):
    application_credential: NewCredential
