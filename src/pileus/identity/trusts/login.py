"""Logging in with a trust: the trustee proves itself as always, and asks for the trust as its scope."""

import msgspec
from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.payload import Delegation
from pileus.identity.trusts import queries
from pileus.identity.trusts.models import Trust
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud


def take_up(db: Session, login: Login, trust_id: str) -> Login:
    """The login of whom the token will be about. Raises Unauthorized.

    Groups of a federated login do not come along: they are the trustee's and would be taken for the trustor's.
    """
    trust = db.get(Trust, trust_id)
    if login.delegation is not None:
        raise refused("a delegated login asks for a trust", reason="trust", user_id=login.user_id)
    if trust is None or trust.trustee_user_id != login.user_id or trust.remaining_uses == 0:
        why = f"trust {trust_id} is gone, used up or somebody else's"
        raise refused(why, reason="trust", user_id=login.user_id)
    return msgspec.structs.replace(
        login,
        user_id=trust.trustor_user_id if trust.impersonation else trust.trustee_user_id,
        delegation=Delegation("trust", trust.id),
        project_id=trust.project_id,
        federation=None,
        ends=min((end for end in (login.ends, queries.ends(queries.chain(db, trust.id))) if end), default=None),
    )


def spend(cloud: Cloud, db: Session, trust_id: str) -> None:
    """Count one use. Raises Unauthorized when another login took the last.

    In a transaction of its own, since logging in only reads; the count is compared and changed in one statement.
    """
    trust = db.get(Trust, trust_id)
    if trust is None or trust.remaining_uses is None:
        return
    left = Trust.remaining_uses
    count = update(Trust).where(Trust.id == trust_id, left > 0).values(remaining_uses=left - 1, last_used=clock.now())
    with cloud.db.writing() as own:
        done = own.execute(count)
        assert isinstance(done, CursorResult)
        if not done.rowcount:
            raise refused(f"trust {trust_id} is used up", reason="trust", user_id=trust.trustee_user_id)
