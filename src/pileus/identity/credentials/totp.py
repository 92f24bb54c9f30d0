"""One-time passcodes by the clock (RFC 6238): six digits, a new one every 30 seconds, HMAC-SHA-1. Each opens once."""

import hashlib
import hmac

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from pileus.identity.credentials import blobs
from pileus.identity.credentials.models import Credential
from pileus.identity.credentials.sealing import Sealer
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.payload import now_ms
from pileus.kernel.cloud import Cloud

STEP, DIGITS = 30, 6
NOBODY = ""  # in place of a credential's id


def passcode(secret: bytes, step: int) -> str:
    """Of one step, which is a count of 30 seconds since 1970."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 15
    return str((int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF) % 10**DIGITS).zfill(DIGITS)


def admit(cloud: Cloud, db: Session, user_id: str | None, given: str) -> bool:
    """Is `given` a passcode of the user for now (or one of the steps before that count), not yet used? If so, it is used now.

    For somebody without such credentials (`user_id` None: nobody) False comes by the same work.
    """
    now = now_ms() // 1000 // STEP
    earlier = cloud.settings(IdentitySettings).totp_included_previous_windows
    owned = select(Credential).where(Credential.user_id == (user_id or ""), Credential.type == blobs.TOTP)
    rows = db.scalars(owned.order_by(Credential.id)).all()
    sealer, matches = cloud.part(Sealer), []
    secrets = [(row.id, sealer.open(row)) for row in rows] or [(NOBODY, sealer.decoy())]
    for credential_id, blob in secrets:
        for step in range(now - earlier, now + 1):
            same = hmac.compare_digest(passcode(blobs.totp_secret(blob), step).encode(), given.encode())
            if same and credential_id != NOBODY:
                matches.append((credential_id, step))
    return any(_use(cloud, credential_id, step) for credential_id, step in matches)


def _use(cloud: Cloud, credential_id: str, step: int) -> bool:
    """Whether this passcode, and none after it, was used before.

    In a transaction of its own, since logging in only reads; compared and changed in one statement, so that it opens once.
    """
    unused = or_(Credential.used_step.is_(None), Credential.used_step < step)
    with cloud.db.writing() as own:
        done = own.execute(update(Credential).where(Credential.id == credential_id, unused).values(used_step=step))
        assert isinstance(done, CursorResult)
        return done.rowcount > 0
