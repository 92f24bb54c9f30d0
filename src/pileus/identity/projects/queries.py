"""Reading projects and domains."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from pileus.identity.assignments.models import SYSTEM, Assignment
from pileus.identity.federation.login.models import ExpiringMembership
from pileus.identity.groups.models import Membership
from pileus.identity.projects.models import ROOT, Project, ProjectAncestor, ProjectTag
from pileus.kernel import clock


def project_id(db: Session, name: str, domain_id: str) -> str | None:
    return db.scalar(
        select(Project.id).where(Project.domain_id == domain_id, Project.name == name, Project.is_domain.is_(False))
    )


def domain_id(db: Session, name: str) -> str | None:
    return db.scalar(select(Project.id).where(Project.domain_id == ROOT, Project.name == name))


def is_domain(db: Session, identifier: str) -> bool:
    return db.scalar(select(Project.id).where(Project.id == identifier, Project.is_domain)) is not None


def actors(user_id: str, mapped: Sequence[str] = ()) -> ColumnElement[bool]:
    """Assignments to the user or to a group that it is in: by membership (some end), or `mapped` by an identity provider for one login."""
    lasting = ExpiringMembership.user_id == user_id, ExpiringMembership.expires_at > clock.now()
    groups = union_all(
        select(Membership.group_id).where(Membership.user_id == user_id),
        select(ExpiringMembership.group_id).where(*lasting),
    )
    return or_(Assignment.actor_id.in_((user_id, *mapped)), Assignment.actor_id.in_(groups))


def with_roles(user_id: str, mapped: Sequence[str] = ()) -> Select[Project]:
    """The projects (not domains) in which the user has any role, its own, by group or inherited."""
    granted = select(Assignment.target_id).where(actors(user_id, mapped), Assignment.inherited.is_(False))
    above = select(Assignment.target_id).where(actors(user_id, mapped), Assignment.inherited)
    below = select(ProjectAncestor.project_id).where(ProjectAncestor.ancestor_id.in_(above))
    return select(Project).where(Project.is_domain.is_(False), or_(Project.id.in_(granted), Project.id.in_(below)))


def of_user(db: Session, user_id: str, mapped: Sequence[str] = ()) -> Sequence[Project]:
    """Those that the user can scope a token to."""
    domain = aliased(Project)
    usable = (
        with_roles(user_id, mapped).join(domain, domain.id == Project.domain_id).where(Project.enabled, domain.enabled)
    )
    return db.scalars(usable.order_by(Project.name, Project.id)).all()


def domains_of_user(db: Session, user_id: str, mapped: Sequence[str] = ()) -> Sequence[Project]:
    granted = select(Assignment.target_id).where(actors(user_id, mapped), Assignment.inherited.is_(False))
    query = select(Project).where(Project.is_domain, Project.enabled, Project.id.in_(granted)).order_by(Project.name)
    return db.scalars(query).all()


def has_system_role(db: Session, user_id: str, mapped: Sequence[str] = ()) -> bool:
    return (
        db.scalar(select(Assignment.role_id).where(actors(user_id, mapped), Assignment.target_id == SYSTEM).limit(1))
        is not None
    )


def ancestors(db: Session, project: Project) -> Sequence[Project]:
    """From the parent up to the domain."""
    query = (
        select(Project)
        .join(
            ProjectAncestor, and_(ProjectAncestor.ancestor_id == Project.id, ProjectAncestor.project_id == project.id)
        )
        .order_by(ProjectAncestor.distance)
    )
    return db.scalars(query).all()


def descendants(db: Session, project: Project) -> Sequence[Project]:
    """All below, nearest first."""
    query = (
        select(Project)
        .join(
            ProjectAncestor, and_(ProjectAncestor.project_id == Project.id, ProjectAncestor.ancestor_id == project.id)
        )
        .order_by(ProjectAncestor.distance, Project.name)
    )
    return db.scalars(query).all()


def tags(db: Session, project_ids: Sequence[str]) -> dict[str, list[str]]:
    """Of several projects by one query."""
    found: dict[str, list[str]] = {identifier: [] for identifier in project_ids}
    if project_ids:
        query = select(ProjectTag.project_id, ProjectTag.name).where(ProjectTag.project_id.in_(project_ids))
        for identifier, name in db.execute(query.order_by(ProjectTag.name)):
            found[identifier].append(name)
    return found
