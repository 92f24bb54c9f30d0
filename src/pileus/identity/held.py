"""The roles that a user has in a project, where some of them are to be handed on."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pileus.identity.roles import inference
from pileus.identity.roles.inference import RoleName
from pileus.identity.roles.models import Role
from pileus.identity.tokens import standing
from pileus.kernel.errors import BadRequest, Forbidden, NotFound
from pileus.kernel.http.schema import OpenShape


class RoleRef(OpenShape):
    """A role by its id, or by its name."""

    id: str | None = None
    name: str | None = None


def roles(db: Session, user_id: str, project_id: str) -> Sequence[RoleName]:
    """With those implied; empty when the user has none there. Raises NotFound for a project that can not be used."""
    found = standing.look_up(db, user_id, "project", project_id)
    if found is None:
        raise NotFound(f"Project {project_id} could not be found, or is disabled.")
    return inference.load(db).effective(found.role_ids)


def choose(db: Session, held: Sequence[RoleName], asked: Sequence[RoleRef]) -> list[str]:
    """Ids of the roles asked for, each once. Raises BadRequest, NotFound, or Forbidden for one that is not held."""
    return list(dict.fromkeys(_one(db, held, ref) for ref in asked))


def _one(db: Session, held: Sequence[RoleName], ref: RoleRef) -> str:
    if ref.id is None and ref.name is None:
        raise BadRequest("Each of roles has an id or a name.")
    for role in held:
        if role.id == ref.id or (ref.id is None and role.name == ref.name):
            return role.id
    if ref.id is not None and db.get(Role, ref.id) is None:
        raise NotFound(f"Role {ref.id} could not be found.")
    raise Forbidden(f"You do not have the role {ref.id or ref.name} to hand on in this project.")
