"""Who asks: the verified identity of one request, as policy and queries see it."""

import re
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec
from sqlalchemy.orm import Session


class AccessRule(NamedTuple):
    """One request that a delegated token may make.

    `service` is a type of the catalog. `path` is the service's own; in it `*` and `{name}` stand for one segment, `**` for any number.
    """

    service: str
    method: str
    path: str

    def allows(self, services: Collection[str], method: str, path: str) -> bool:
        return self.service in services and self.method == method and _pattern(self.path).fullmatch(path) is not None


@lru_cache(maxsize=4096)
def _pattern(path: str) -> re.Pattern[str]:
    """`**` may stand for nothing at all only where it is a whole tail: `/v2/**` is `/v2/` and what is under it."""
    parts = re.split(r"(\*\*|\*|\{[^/{}]*\})", path)
    return re.compile("".join(".*" if p == "**" else "[^/]+" if i % 2 else re.escape(p) for i, p in enumerate(parts)))


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Scope is at most one of project, domain, system. An anonymous context has no user and no roles.

    `delegation` names what the token was made from, if not from the user's own secrets. `access_rules` None: any request.
    `thumbprint`: the certificate (base64url SHA-256) that the caller must show.
    """

    request_id: str = ""
    user_id: str | None = None
    user_name: str | None = None
    user_domain_id: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    project_domain_id: str | None = None
    domain_id: str | None = None
    system_scope: str | None = None
    roles: tuple[str, ...] = ()
    token: str | None = None
    expires_at: datetime | None = None
    delegation: str | None = None
    access_rules: tuple[AccessRule, ...] | None = None
    thumbprint: str | None = None

    @property
    def delegated(self) -> bool:
        return self.delegation is not None

    def credentials(self) -> dict[str, object]:
        """The names that check strings may use (`project_id:%(project_id)s`, `role:…`, `system_scope:all`)."""
        return {
            "user_id": self.user_id,
            "project_id": self.project_id,
            "tenant_id": self.project_id,
            "domain_id": self.domain_id,
            "user_domain_id": self.user_domain_id,
            "project_domain_id": self.project_domain_id,
            "system_scope": self.system_scope,
            "roles": list(self.roles),
        }

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    def sees_project(self, project_id: str | None) -> bool:
        """May this caller know that something of that project exists at all?"""
        return self.is_admin or (project_id is not None and project_id == self.project_id)


ANONYMOUS = Context()


@runtime_checkable
class Authenticator(Protocol):
    """Identity's half of every request: a token in, a context out."""

    def authenticate(self, db: Session, token: str) -> Context:
        """Raises errors.Unauthorized for a token that is bad, ended or revoked."""
