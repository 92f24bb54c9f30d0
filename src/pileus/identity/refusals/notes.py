"""Taking down refused logins. Every refusal costs the same one row, whoever it was: time tells nothing either."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from pileus.identity.refusals.models import RefusedLogin
from pileus.identity.tokens.login import Refused, log
from pileus.kernel.http.call import Call

MOST = 10_000  # rows kept, of all users together


@contextmanager
def noted(call: Call, who: str = "") -> Iterator[None]:
    """Around whatever may refuse a login: the refusal goes on to the caller, its reason into the table. `who`: the name or id given."""
    try:
        yield
    except Refused as refusal:
        _note(call, refusal, who)
        raise


def _note(call: Call, refusal: Refused, who: str) -> None:
    remote = call.request.client.host if call.request.client else ""
    row = RefusedLogin(
        user_id=refusal.user_id[:64] if refusal.user_id else None,
        who=(refusal.who or who or refusal.user_id or "")[:255],
        reason=refusal.reason,
        detail=refusal.detail[:255],
        remote=remote[:64],
        request_id=call.context.request_id,
    )
    try:
        with call.cloud.db.writing() as db:
            db.add(row)
            db.flush()
            db.execute(delete(RefusedLogin).where(RefusedLogin.id <= row.id - MOST))
    except SQLAlchemyError:
        log.exception("the refusal (%s) could not be kept", call.context.request_id)
