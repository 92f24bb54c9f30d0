"""Making application credentials: never with more than the token that asks has."""

import secrets

from sqlalchemy import func, select

from pileus.identity import expiry
from pileus.identity.application_credentials import rules
from pileus.identity.application_credentials.models import (
    ApplicationCredential,
    ApplicationCredentialRole,
    ApplicationCredentialRule,
)
from pileus.identity.application_credentials.schemas import NewCredential, RoleRef
from pileus.identity.credentials.delegated import delegation
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.roles.models import Role
from pileus.identity.settings import IdentitySettings
from pileus.identity.users.models import User
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import UNSET, Unset


def check_unrestricted(call: Call) -> ApplicationCredential | None:
    """The credential that the caller's token was made from, if any.

    Raises Forbidden when the token may not manage credentials: it is a restricted one's, a trust's or an access token's.
    """
    used = delegation(call)
    if used is None:
        return None
    if used.kind != "application_credential":
        raise Forbidden("This token is from a trust or an access token, which can not manage application credentials.")
    parent = call.db.get(ApplicationCredential, used.id)
    if parent is None or not parent.unrestricted:
        raise Forbidden("This token is from a restricted application credential, which can not manage credentials.")
    return parent


def add(call: Call, user_id: str, given: NewCredential) -> tuple[ApplicationCredential, str]:
    """The row and its secret, which is told once."""
    parent = check_unrestricted(call)
    project_id = call.context.project_id
    if project_id is None:
        raise Forbidden("An application credential is for the token's project: log in with a project scope.")
    _check_room(call, user_id)
    same = ApplicationCredential.user_id == user_id, ApplicationCredential.name == given.name
    if call.db.scalar(select(ApplicationCredential.id).where(*same)) is not None:
        raise Conflict(f"You have an application credential named {given.name!r} already.")
    secret = given.secret if isinstance(given.secret, str) else secrets.token_urlsafe(64)
    made = ApplicationCredential(
        user_id=user_id,
        project_id=project_id,
        name=given.name,
        description=given.description or None,
        secret_hash=call.cloud.part(Hasher).hash(secret),
        expires_at=expiry.ends(
            given.expires_at, parent.expires_at if parent else None, BadRequest, "the application credential"
        ),
        unrestricted=given.unrestricted is True,
        ruled=call.context.access_rules is not None or isinstance(given.access_rules, list),
    )
    allowed = rules.chosen(call, user_id, given.access_rules)
    roles = _roles(call, given.roles)
    call.db.add(made)
    call.db.flush()
    call.db.add_all(ApplicationCredentialRole(application_credential_id=made.id, role_id=role.id) for role in roles)
    call.db.add_all(
        ApplicationCredentialRule(application_credential_id=made.id, access_rule_id=rule.id) for rule in allowed
    )
    call.db.flush()
    return made, secret


def _check_room(call: Call, user_id: str) -> None:
    """Raises Forbidden. Holds the user's row, so that two at once do not take the same last place."""
    most = call.cloud.settings(IdentitySettings).application_credentials_per_user
    if most < 0:
        return
    call.db.execute(select(User.id).where(User.id == user_id).with_for_update())
    held = select(func.count()).where(ApplicationCredential.user_id == user_id)
    if (call.db.scalar(held) or 0) >= most:
        raise Forbidden(f"You may have {most} application credentials at most: delete one first.")


def _roles(call: Call, asked: list[RoleRef] | Unset) -> list[Role]:
    held = list(call.db.scalars(select(Role).where(Role.domain_id == "", Role.name.in_(call.context.roles))))
    if asked is UNSET or not asked:
        return held
    chosen = []
    for ref in asked:
        role = next((r for r in held if r.id == ref.id or (ref.id is None and r.name == ref.name)), None)
        if role is None:
            raise BadRequest(f"You do not have the role {ref.id or ref.name} in this project.")
        chosen.append(role)
    return list(dict.fromkeys(chosen))
