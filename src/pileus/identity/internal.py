"""What other services may ask of identity, in the caller's own transaction."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.catalog.queries import catalog
from pileus.identity.projects import queries as projects
from pileus.identity.projects.models import Project
from pileus.identity.seeds import DEFAULT_DOMAIN, SERVICE_PROJECT, SERVICE_USER
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.users import queries as users
from pileus.kernel.cloud import Cloud


def project_id(db: Session, name: str, domain_id: str = DEFAULT_DOMAIN) -> str | None:
    return projects.project_id(db, name, domain_id)


def project_exists(db: Session, project_id: str) -> bool:
    return db.scalar(select(Project.id).where(Project.id == project_id, Project.is_domain.is_(False))) is not None


def user_id(db: Session, name: str, domain_id: str = DEFAULT_DOMAIN) -> str | None:
    return users.id_of(db, name, domain_id=domain_id)


def service_token(cloud: Cloud, db: Session, *, lifetime: int = 900) -> str:
    """A token with the roles admin and service in the project `service`, for the cloud's own calls. `lifetime` in seconds.

    Raises LookupError before the seeds ran.
    """
    user, project = user_id(db, SERVICE_USER), project_id(db, SERVICE_PROJECT)
    issued = None
    if user is not None and project is not None:
        tokens = cloud.part(TokenAuthenticator)
        issued = tokens.issue(db, user, ("project", project), ("token",), lifetime=lifetime)
    if issued is None:
        raise LookupError("the cloud's own user has no role in the project service: run the seeds")
    return issued[0]


def endpoint(cloud: Cloud, db: Session, kind: str, region: str, interface: str) -> str | None:
    """The address of a type of service in a region, as the catalog has it for everybody; None: there is none."""
    for service in catalog(cloud, db, {}):
        if service["type"] == kind:
            for one in service["endpoints"]:
                if one["region_id"] == region and one["interface"] == interface:
                    return str(one["url"]).rstrip("/")
    return None
