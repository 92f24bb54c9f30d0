"""What an application credential leaves to the tokens made from it."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pileus.identity.application_credentials import rules
from pileus.identity.application_credentials.models import ApplicationCredential, ApplicationCredentialRole
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload
from pileus.kernel import clock
from pileus.kernel.http.call import Json

_FOUND = (
    select(
        ApplicationCredential.name,
        ApplicationCredential.expires_at,
        ApplicationCredential.unrestricted,
        ApplicationCredential.ruled,
        ApplicationCredentialRole.role_id,
    )
    .join(ApplicationCredentialRole, ApplicationCredentialRole.application_credential_id == ApplicationCredential.id)
    .where(
        ApplicationCredential.id == bindparam("credential"),
        ApplicationCredential.user_id == bindparam("user"),
        ApplicationCredential.project_id == bindparam("project"),
    )
)


def limits(db: Session, credential_id: str, payload: Payload) -> Limits | None:
    values = {"credential": credential_id, "user": payload.user_id, "project": payload.scope_id}
    rows = db.execute(_FOUND, values).all()
    if not rows or payload.scope != "project":
        return None
    name, expires, unrestricted, ruled, _ = rows[0]
    if expires is not None and expires <= clock.now():
        return None
    told: Json = {"id": credential_id, "name": name, "restricted": not unrestricted}
    allowed = rules.of(db, [credential_id])[credential_id] if ruled else None
    if allowed is not None:
        told["access_rules"] = [rules.brief(rule) for rule in allowed]
    return Limits(
        payload.user_id,
        tuple(row.role_id for row in rows),
        {"application_credential": told},
        every=True,
        expires=expires,
        access_rules=tuple(map(rules.allows, allowed)) if allowed is not None else None,
    )
