"""What a token says. Nothing of a token is stored: a provider (`tokens/providers/`) seals this into the words that travel."""

import base64
import os
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

METHODS = (
    "password",
    "token",
    "application_credential",
    "external",
    "totp",
    "oauth1",
    "mapped",
    "saml2",
    "openid",
    "oauth2_credential",
    "ec2credential",
)
ScopeKind = Literal["unscoped", "project", "domain", "system"]
SCOPES: tuple[ScopeKind, ...] = ("unscoped", "project", "domain", "system")
DelegationKind = Literal["application_credential", "trust", "access_token"]
DELEGATIONS: tuple[DelegationKind, ...] = ("application_credential", "trust", "access_token")


class BadToken(Exception):
    """Not a token of this cloud, or one whose time is over."""


class Delegation(msgspec.Struct, array_like=True, frozen=True):
    """The row that this token is worth no more than."""

    kind: DelegationKind
    id: str


class Federation(msgspec.Struct, array_like=True, frozen=True):
    """Where a federated user came from, and the local groups that the mapping put it into for this login."""

    identity_provider_id: str
    protocol_id: str
    group_ids: tuple[str, ...] = ()


class Payload(msgspec.Struct, array_like=True, frozen=True):
    """Times are epoch milliseconds. `epoch` counts the mass revocations before the issue; `audit_ids` are own and first ancestor.

    `thumbprint` (base64url SHA-256 of a client's certificate) binds the token to that certificate (RFC 8705).
    """

    user_id: str
    scope: ScopeKind
    scope_id: str
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    issued: int
    expires: int
    epoch: int
    delegation: Delegation | None = None
    federation: Federation | None = None
    thumbprint: str | None = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_audit_id() -> str:
    return base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def chain(methods: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """The methods of a token and of the one it came from, each once, in METHODS' order."""
    return tuple(method for method in METHODS if method in methods or method in more)
