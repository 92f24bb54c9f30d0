"""Who asks: the verified identity of one request, as policy and queries see it."""

from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec
from sqlalchemy.orm import Session


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Scope is at most one of project, domain, system. An anonymous context has no user and no roles."""

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
    delegated: bool = False

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
