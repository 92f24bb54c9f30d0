"""What an application credential leaves to the tokens made from it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.application_credentials.models import ApplicationCredential, ApplicationCredentialRole
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload
from pileus.kernel import clock


def limits(db: Session, credential_id: str, payload: Payload) -> Limits | None:
    query = (
        select(ApplicationCredentialRole.role_id, ApplicationCredential.expires_at, ApplicationCredential.unrestricted)
        .join(ApplicationCredential, ApplicationCredential.id == ApplicationCredentialRole.application_credential_id)
        .where(
            ApplicationCredential.id == credential_id,
            ApplicationCredential.user_id == payload.user_id,
            ApplicationCredential.project_id == payload.scope_id,
        )
    )
    rows = db.execute(query).all()
    if not rows or payload.scope != "project":
        return None
    _, expires, unrestricted = rows[0]
    if expires is not None and expires <= clock.now():
        return None
    shown = {"application_credential": {"id": credential_id, "restricted": not unrestricted}}
    return Limits(payload.user_id, tuple(row.role_id for row in rows), shown, expires=expires)
