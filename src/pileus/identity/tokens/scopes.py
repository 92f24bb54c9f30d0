"""From what a login asks for to what the token will be for."""

from msgspec.structs import fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.projects import queries
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.payload import ScopeKind
from pileus.identity.tokens.schemas import DomainRef, ProjectRef, ScopeShape
from pileus.identity.trusts import login as trusts
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest, Unauthorized
from pileus.kernel.http.schema import UNSET, Unset

Wanted = tuple[ScopeKind, str]
UNSCOPED: Wanted = ("unscoped", "")


def entrusted(db: Session, login: Login, asked: ScopeShape | str | Unset) -> Login:
    """The login that comes out of asking for a trust as the scope; without one, the same."""
    if not isinstance(asked, ScopeShape) or asked.trust is UNSET:
        return login
    _one(asked)
    return trusts.take_up(db, login, asked.trust.id)


def spend(cloud: Cloud, db: Session, login: Login) -> None:
    """Count the use of a delegation that may be used so many times. Raises Unauthorized when it may no more."""
    if login.delegation is not None and login.delegation.kind == "trust":
        trusts.spend(cloud, db, login.delegation.id)


def wanted(db: Session, login: Login, asked: ScopeShape | str | Unset) -> tuple[Wanted, bool]:
    """The scope, and whether the caller named it (a default project that is not usable gives an unscoped token instead)."""
    if login.delegation is not None and login.delegation.kind == "trust":
        return ("project", login.project_id) if login.project_id is not None else UNSCOPED, True
    if login.delegation is not None and login.project_id is not None:
        if asked is not UNSET:
            raise Unauthorized("A scope can not be asked for with a delegation: it has its own project.")
        return ("project", login.project_id), True
    if isinstance(asked, str):
        if asked != "unscoped":
            raise BadRequest('auth.scope is an object, or the word "unscoped".')
        return UNSCOPED, True
    if isinstance(asked, ScopeShape):
        return _explicit(db, asked), True
    default = db.scalar(select(User.default_project_id).where(User.id == login.user_id))
    return (("project", default), False) if default else (UNSCOPED, True)


def _explicit(db: Session, asked: ScopeShape) -> Wanted:
    _one(asked)
    if isinstance(asked.project, ProjectRef):
        return "project", _project(db, asked.project)
    if isinstance(asked.domain, DomainRef):
        return "domain", _domain(db, asked.domain)
    if asked.system is not UNSET:
        if not asked.system.all:
            raise BadRequest('The only system scope is {"all": true}.')
        return "system", "all"
    return UNSCOPED


def _one(asked: ScopeShape) -> None:
    given = [field.encode_name for field in fields(ScopeShape) if getattr(asked, field.name) is not UNSET]
    if len(given) != 1:
        known = ", ".join(field.encode_name for field in fields(ScopeShape))
        raise BadRequest(f"auth.scope names exactly one of {known}; given: {', '.join(given) or 'none'}.")


def _project(db: Session, ref: ProjectRef) -> str:
    if ref.id is not None:
        return ref.id
    if ref.name is None or ref.domain is None:
        raise BadRequest("A project is given by its id, or by its name and the id or name of its domain.")
    found = queries.project_id(db, ref.name, _domain(db, ref.domain))
    if found is None:
        raise refused(f"there is no project {ref.name} in that domain")
    return found


def _domain(db: Session, ref: DomainRef) -> str:
    if ref.id is not None:
        return ref.id
    if ref.name is None:
        raise BadRequest("A domain is given by its id or its name.")
    found = queries.domain_id(db, ref.name)
    if found is None:
        raise refused(f"there is no domain {ref.name}")
    return found
