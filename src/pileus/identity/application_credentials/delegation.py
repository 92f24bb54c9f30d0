"""What an application credential leaves to the tokens made from it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.application_credentials import rules
from pileus.identity.application_credentials.models import ApplicationCredential, ApplicationCredentialRole
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload
from pileus.kernel import clock
from pileus.kernel.http.call import Json


def limits(db: Session, credential_id: str, payload: Payload) -> Limits | None:
    found = db.get(ApplicationCredential, credential_id)
    if found is None or (found.user_id, "project", found.project_id) != (
        payload.user_id,
        payload.scope,
        payload.scope_id,
    ):
        return None
    if found.expires_at is not None and found.expires_at <= clock.now():
        return None
    of_it = ApplicationCredentialRole.application_credential_id == credential_id
    roles = tuple(db.scalars(select(ApplicationCredentialRole.role_id).where(of_it)))
    allowed = rules.of(db, [credential_id])[credential_id] if found.ruled else None
    told: Json = {"id": found.id, "name": found.name, "restricted": not found.unrestricted}
    if allowed is not None:
        told["access_rules"] = [rules.brief(rule) for rule in allowed]
    return Limits(
        found.user_id,
        roles,
        {"application_credential": told},
        every=True,
        expires=found.expires_at,
        access_rules=tuple(map(rules.allows, allowed)) if allowed is not None else None,
    )
