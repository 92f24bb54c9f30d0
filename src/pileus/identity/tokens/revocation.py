"""Ending tokens before their time."""

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.models import RevokedToken
from pileus.identity.tokens.payload import Payload, now_ms
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Call

LATE = 172_800_000  # milliseconds: so long after its time a token is still shown to those who ask with `allow_expired`


def end(call: Call, payload: Payload) -> None:
    """One token."""
    call.db.merge(RevokedToken(audit_id=payload.audit_ids[0], expires=payload.expires))
    look_again(call)


def flush(db: Session) -> int:
    """Forget what is said of tokens that nobody can ask for any more; how many those were."""
    done = db.execute(delete(RevokedToken).where(RevokedToken.expires < now_ms() - LATE))
    assert isinstance(done, CursorResult)
    return done.rowcount


def sweep(cloud: Cloud) -> None:
    """The chore."""
    cloud.db.transact(flush)


def end_all(call: Call, user: User) -> None:
    """Every token that the user has had so far, for good."""
    user.token_epoch += 1
    look_again(call)


def look_again(call: Call) -> None:
    """Rows that tokens depend on change in this request: this process forgets what it verified once that is durable."""
    call.after_commit(call.cloud.part(TokenAuthenticator).forget)
