"""Projects that the rules give to a user: made when they are not there, with the roles that the rules say."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.assignments.models import Assignment
from pileus.identity.federation.login import users
from pileus.identity.federation.mappings.engine import MappedProject
from pileus.identity.projects import actions, queries
from pileus.identity.projects.models import Project
from pileus.identity.roles.models import GLOBAL, Role
from pileus.identity.tokens.login import refused
from pileus.kernel.errors import ApiError


def provide(db: Session, user_id: str, idp_domain_id: str, wanted: Iterable[MappedProject]) -> None:
    """Doing it again changes nothing. Raises Unauthorized when a role or domain is not there."""
    for project in wanted:
        home = users.domain_id(db, project.domain) if project.domain else idp_domain_id
        roles = [_role(db, name, home) for name in project.roles]
        project_id = queries.project_id(db, project.name, home) or _make(db, project.name, home)
        for role_id in roles:
            db.merge(
                Assignment(
                    actor_id=user_id,
                    target_id=project_id,
                    role_id=role_id,
                    inherited=False,
                    actor_kind="user",
                    target_kind="project",
                )
            )


def _role(db: Session, name: str, home: str) -> str:
    """A domain's own role comes before the global one of that name."""
    here = select(Role.id).where(Role.name == name, Role.domain_id.in_((home, GLOBAL)))
    found = db.scalar(here.order_by(Role.domain_id.desc()).limit(1))
    if found is None:
        raise refused(f"the mapping names a role that is not there: {name}")
    return found


def _make(db: Session, name: str, home: str) -> str:
    made = Project(domain_id=home, parent_id=home, name=name, description="", enabled=True, is_domain=False)
    made.options, made.extra = {}, {}
    if len(name) > 64 or not name.strip():
        raise refused(f"the mapping gives a project a name that can not be: {name!r}")
    try:
        actions.add(db, made, db.get(Project, home))
    except ApiError as error:
        raise refused(f"project {name} of the mapping can not be made: {error}") from None
    return made.id
