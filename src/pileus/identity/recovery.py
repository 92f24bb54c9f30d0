"""The administrator's way back in."""

from pileus.identity import seeds
from pileus.identity.assignments.models import SYSTEM
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import FailedLogins, Password
from pileus.identity.projects.models import Project
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.users import activity
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud

LOCKS = ("multi_factor_auth_enabled", "multi_factor_auth_rules")  # options that may keep a user out


def restore_admin(cloud: Cloud, password: str) -> str:
    """The user admin of the domain Default: there, enabled, not locked, with this password and the role admin on the system, the
    domain and the project admin. Its tokens are over. Nothing else changes. Returns the user's id."""
    hashed = cloud.part(Hasher).hash(password)
    with cloud.db.writing() as db:
        role = seeds.role(db, "admin")
        project_id = seeds.project(db, "admin")
        user_id = seeds.user(db, "admin", project_id, cloud.part(Hasher), None)
        user = db.get_one(User, user_id)
        user.enabled = True
        user.options = {name: value for name, value in user.options.items() if name not in LOCKS}
        user.password_expires_at = None
        user.last_active_at = activity.starting(cloud, user.options)
        user.token_epoch += 1
        for place in (seeds.DEFAULT_DOMAIN, project_id):
            db.get_one(Project, place).enabled = True
        db.merge(Password(user_id=user_id, hash=hashed))
        failed = db.get(FailedLogins, user_id)
        if failed is not None:
            db.delete(failed)
        seeds.grant(db, user_id, "system", SYSTEM, role)
        seeds.grant(db, user_id, "domain", seeds.DEFAULT_DOMAIN, role)
        seeds.grant(db, user_id, "project", project_id, role)
    cloud.part(TokenAuthenticator).forget()
    return user_id
