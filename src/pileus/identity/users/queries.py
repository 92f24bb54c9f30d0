"""Reading users."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.projects.models import Project
from pileus.identity.users.models import User


def id_of(db: Session, name: str, *, domain_id: str | None = None, domain_name: str | None = None) -> str | None:
    """A user by its name and its domain's id or name."""
    query = select(User.id).where(User.name == name)
    if domain_id is not None:
        query = query.where(User.domain_id == domain_id)
    else:
        query = query.join(Project, Project.id == User.domain_id).where(Project.is_domain, Project.name == domain_name)
    return db.scalar(query)
