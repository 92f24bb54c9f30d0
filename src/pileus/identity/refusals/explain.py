"""Why somebody does not get in: what would refuse them now, and what refused them lately."""

from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pileus.identity.passwords import lockout
from pileus.identity.passwords.models import Password
from pileus.identity.projects import queries as projects
from pileus.identity.projects.models import Project
from pileus.identity.refusals.models import RefusedLogin
from pileus.identity.tokens import factors
from pileus.identity.users import activity
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud

SHOWN = 20  # newest refusals


def explain(cloud: Cloud, db: Session, name: str) -> list[str]:
    """Lines about every user with that id or name, in any domain; and the newest refusals of that name, known or not."""
    users = db.scalars(select(User).where(or_(User.id == name, User.name == name)).order_by(User.domain_id)).all()
    lines = [line for user in users for line in (_title(db, user), *now(cloud, db, user))]
    return (lines or [f"There is no user {name}."]) + lately(db, [name, *(user.id for user in users)])


def now(cloud: Cloud, db: Session, user: User) -> list[str]:
    """What would refuse the user's login at this moment, or bear on it."""
    found = []
    domain, password = db.get(Project, user.domain_id), db.get(Password, user.id)
    if not user.enabled:
        found.append("disabled")
    if domain is not None and not domain.enabled:
        found.append(f"domain {domain.name} disabled")
    if activity.is_over(cloud, user):
        found.append(f"inactive since {clock.iso(user.last_active_at)}")
    if (until := lockout.locked_until(cloud, db, user)) is not None:
        found.append(f"locked until {clock.iso(until)} after too many wrong passwords")
    if password is None:
        found.append("has no password here (other methods may do)")
    elif user.password_expires_at is not None and user.password_expires_at <= clock.now():
        found.append(f"password expired at {clock.iso(user.password_expires_at)}")
    if rules := factors.rules(user.options):
        found.append("has to log in by " + " or ".join("+".join(sorted(rule)) for rule in rules))
    return [f"  now: {reason}" for reason in found + _scopes(db, user)] or ["  now: nothing"]


def lately(db: Session, names: list[str]) -> list[str]:
    """The newest refusals, newest first."""
    query = select(RefusedLogin).where(or_(RefusedLogin.user_id.in_(names), RefusedLogin.who.in_(names)))
    rows = db.scalars(query.order_by(RefusedLogin.id.desc()).limit(SHOWN))
    return [
        f"  {clock.iso(row.at)} {row.reason} from {row.remote} ({row.request_id}): {row.detail}"
        for row in rows
        if row.at > clock.now() - timedelta(days=30)
    ]


def _title(db: Session, user: User) -> str:
    domain = db.get(Project, user.domain_id)
    return f"User {user.name} ({user.id}) in domain {domain.name if domain else user.domain_id}"


def _scopes(db: Session, user: User) -> list[str]:
    """A user without a usable scope gets no further than an unscoped token."""
    usable = [project.id for project in projects.of_user(db, user.id)]
    found = []
    if not usable and not projects.domains_of_user(db, user.id) and not projects.has_system_role(db, user.id):
        found.append("has no role in any enabled project or domain, nor in the system")
    if user.default_project_id and user.default_project_id not in usable:
        found.append(f"default project {user.default_project_id} is not usable: disabled, gone, or no role in it")
    return found
