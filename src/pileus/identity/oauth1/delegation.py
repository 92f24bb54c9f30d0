"""What an access token leaves to the tokens made from it: the roles that the user said yes to and still has."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.oauth1.models import AccessToken, AccessTokenRole
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload
from pileus.kernel import clock


def limits(db: Session, token_id: str, payload: Payload) -> Limits | None:
    found = db.get(AccessToken, token_id)
    if found is None or (found.user_id, "project", found.project_id) != (
        payload.user_id,
        payload.scope,
        payload.scope_id,
    ):
        return None
    if found.expires_at is not None and found.expires_at <= clock.now():
        return None
    roles = db.scalars(select(AccessTokenRole.role_id).where(AccessTokenRole.token_id == token_id))
    shown = {"OS-OAUTH1": {"access_token_id": found.id, "consumer_id": found.consumer_id}}
    return Limits(found.user_id, tuple(roles), shown, expires=found.expires_at)
