"""Writes of projects and domains."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.identity import options
from pileus.identity.assignments.models import Assignment
from pileus.identity.groups.models import Group
from pileus.identity.projects import queries
from pileus.identity.projects.models import ROOT, Project, ProjectAncestor, ProjectTag
from pileus.identity.projects.schemas import DomainChange, ProjectChange
from pileus.identity.roles.models import Role
from pileus.identity.users.models import User
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.schema import UNSET

DEEPEST = 5  # levels of projects under a domain


def free_name(db: Session, domain_id: str, name: str) -> None:
    if db.scalar(select(Project.id).where(Project.domain_id == domain_id, Project.name == name)) is not None:
        where = f"domain {domain_id} has" if domain_id else "there is"
        what = "project" if domain_id else "domain"
        raise Conflict(f"A {what} named {name!r} exists: {where} it already.")


def add(db: Session, project: Project, parent: Project | None, deepest: int = DEEPEST) -> None:
    """`parent` is the project or domain above; None for a domain. `deepest`: levels of projects that may be under a domain."""
    free_name(db, project.domain_id, project.name)
    above: list[Project] = []
    if parent is not None:
        above = [parent, *queries.ancestors(db, parent)]
        if len(above) > deepest:
            raise Forbidden(f"Projects can be nested {deepest} deep; {parent.id} is at the last level.")
        disabled = next((p.id for p in above if not p.enabled), None)
        if disabled and project.enabled:
            raise Forbidden(f"{disabled} above is disabled: nothing enabled can be made below it.")
    db.add(project)
    db.flush()
    for distance, ancestor in enumerate(above, 1):
        db.add(ProjectAncestor(project_id=project.id, ancestor_id=ancestor.id, distance=distance))


def set_tags(db: Session, project: Project, tags: Sequence[str]) -> None:
    db.execute(delete(ProjectTag).where(ProjectTag.project_id == project.id))
    db.add_all(ProjectTag(project_id=project.id, name=name) for name in dict.fromkeys(tags))


def change(db: Session, project: Project, given: ProjectChange | DomainChange, extra: dict[str, object]) -> None:
    options.check_mutable(project.options, f"Project {project.id}", options.asked(given.options))
    if given.name is not UNSET and given.name != project.name:
        free_name(db, project.domain_id, given.name)
        project.name = given.name
    if given.description is not UNSET:
        project.description = given.description or ""
    if given.enabled is not UNSET and given.enabled != project.enabled:
        _check_switch(db, project, given.enabled)
        project.enabled = given.enabled
    project.options = options.merged(project.options, given.options)
    project.extra = {**project.extra, **extra}


def _check_switch(db: Session, project: Project, enabled: bool) -> None:
    if project.is_domain:
        return
    if enabled:
        off = next((p.id for p in queries.ancestors(db, project) if not p.enabled), None)
        if off:
            raise Forbidden(f"Project {project.id} can not be enabled while {off} above it is disabled.")
    elif any(below.enabled for below in queries.descendants(db, project)):
        raise Forbidden(f"Project {project.id} can not be disabled while enabled projects are below it.")


def check_fixed(project: Project, given: ProjectChange) -> None:
    """A project stays where it was made."""
    if given.parent_id is not UNSET and given.parent_id != project.parent_id:
        raise Forbidden("parent_id of a project can not be changed.")
    if given.domain_id is not UNSET and given.domain_id != (project.domain_id or None):
        raise BadRequest("domain_id of a project can not be changed.")
    if given.is_domain is not UNSET and given.is_domain != project.is_domain:
        raise BadRequest("is_domain of a project can not be changed.")


def remove(db: Session, project: Project) -> None:
    """Raises Forbidden for a project that has others below it or is immutable."""
    options.check_mutable(project.options, f"Project {project.id}")
    if queries.descendants(db, project):
        raise Forbidden(f"Project {project.id} has projects below it: delete them first.")
    _forget(db, [project.id])
    db.delete(project)


def remove_domain(db: Session, domain: Project) -> None:
    """With everything in it. Raises Forbidden while it is enabled."""
    options.check_mutable(domain.options, f"Domain {domain.id}")
    if domain.enabled:
        raise Forbidden(f"Domain {domain.id} is enabled: disable it before deleting it.")
    for project in reversed(queries.descendants(db, domain)):
        _forget(db, [project.id])
        db.execute(delete(Project).where(Project.id == project.id))
    for kind in (User, Group):
        inside = select(kind.id).where(kind.domain_id == domain.id)
        db.execute(delete(Assignment).where(Assignment.actor_id.in_(inside)))
        db.execute(delete(kind).where(kind.domain_id == domain.id))
    db.execute(delete(Role).where(Role.domain_id == domain.id))
    _forget(db, [domain.id])
    db.delete(domain)


def new_domain(name: str, *, description: str, enabled: bool) -> Project:
    return Project(domain_id=ROOT, name=name, description=description, enabled=enabled, is_domain=True)


def _forget(db: Session, ids: Sequence[str]) -> None:
    db.execute(delete(Assignment).where(Assignment.target_id.in_(ids)))
    db.execute(update(User).where(User.default_project_id.in_(ids)).values(default_project_id=None))
