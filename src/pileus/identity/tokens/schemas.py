"""The body of `POST /v3/auth/tokens`."""

import msgspec

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset


class DomainRef(OpenShape):
    id: str | None = None
    name: str | None = None


class UserRef(OpenShape):
    """A user by id, or by name and domain."""

    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class PasswordUser(UserRef, kw_only=True):
    password: str


class PasswordMethod(OpenShape):
    user: PasswordUser


class TotpUser(UserRef, kw_only=True):
    passcode: str


class TotpMethod(OpenShape):
    user: TotpUser


class TokenMethod(OpenShape):
    id: str


class CredentialMethod(OpenShape):
    """A credential by id, or by name and user."""

    secret: str
    id: str | None = None
    name: str | None = None
    user: UserRef | None = None


class Identity(OpenShape):
    methods: list[str]
    password: PasswordMethod | None = None
    totp: TotpMethod | None = None
    token: TokenMethod | None = None
    application_credential: CredentialMethod | None = None


class ProjectRef(OpenShape):
    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class SystemRef(OpenShape):
    all: bool = False


class TrustRef(OpenShape):
    id: str


class ScopeShape(Shape):
    project: ProjectRef | Unset = UNSET
    domain: DomainRef | Unset = UNSET
    system: SystemRef | Unset = UNSET
    unscoped: dict[str, str] | Unset = UNSET
    trust: TrustRef | Unset = msgspec.field(name="OS-TRUST:trust", default=UNSET)


class Auth(Shape):
    identity: Identity
    scope: ScopeShape | str | Unset = UNSET


class AuthBody(Shape):
    auth: Auth
