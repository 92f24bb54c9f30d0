"""Which roles a role brings along."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.roles.models import GLOBAL, ImpliedRole, Role


class RoleName(NamedTuple):
    id: str
    name: str


class RoleGraph:
    """All roles and implications, read at once: there are few and every request needs them."""

    def __init__(self, roles: Mapping[str, tuple[str, str]], implied: Mapping[str, list[str]]) -> None:
        """`roles`: id -> (name, domain id)."""
        self.roles = roles
        self.implied = implied
        self._closures: dict[str, tuple[str, ...]] = {}

    def closure(self, role_id: str) -> tuple[str, ...]:
        """The role and all that it implies, itself first. Loops do no harm."""
        found = self._closures.get(role_id)
        if found is None:
            seen, todo = {role_id: None}, [role_id]
            while todo:
                for implied in self.implied.get(todo.pop(), ()):
                    if implied not in seen:
                        seen[implied] = None
                        todo.append(implied)
            found = self._closures[role_id] = tuple(seen)
        return found

    def effective(self, role_ids: Iterable[str]) -> tuple[RoleName, ...]:
        """The roles that a token carries. A domain's own role never does: its name could be that of a global one."""
        every = dict.fromkeys(effective for role_id in role_ids for effective in self.closure(role_id))
        out = []
        for role_id in every:
            name, domain_id = self.roles.get(role_id, ("", "gone"))
            if domain_id == GLOBAL:
                out.append(RoleName(role_id, name))
        return tuple(out)


def load(db: Session) -> RoleGraph:
    roles = {row.id: (row.name, row.domain_id) for row in db.execute(select(Role.id, Role.name, Role.domain_id))}
    implied: dict[str, list[str]] = {}
    for prior, following in db.execute(select(ImpliedRole.prior_role_id, ImpliedRole.implied_role_id)):
        implied.setdefault(prior, []).append(following)
    return RoleGraph(roles, implied)
