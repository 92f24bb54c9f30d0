"""What an access token leaves to the tokens made from it: the roles that the user said yes to and still has."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pileus.identity.oauth1.models import AccessToken, AccessTokenRole
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload
from pileus.kernel import clock

_FOUND = (
    select(AccessToken.consumer_id, AccessToken.expires_at, AccessTokenRole.role_id)
    .join(AccessTokenRole, AccessTokenRole.token_id == AccessToken.id)
    .where(
        AccessToken.id == bindparam("token"),
        AccessToken.user_id == bindparam("user"),
        AccessToken.project_id == bindparam("project"),
    )
)


def limits(db: Session, token_id: str, payload: Payload) -> Limits | None:
    values = {"token": token_id, "user": payload.user_id, "project": payload.scope_id}
    rows = db.execute(_FOUND, values).all()
    if not rows or payload.scope != "project":
        return None
    consumer_id, expires, _ = rows[0]
    if expires is not None and expires <= clock.now():
        return None
    shown = {"OS-OAUTH1": {"access_token_id": token_id, "consumer_id": consumer_id}}
    return Limits(payload.user_id, tuple(row.role_id for row in rows), shown, expires=expires)
