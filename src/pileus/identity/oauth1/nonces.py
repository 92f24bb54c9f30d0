"""Signed requests count once: what was answered is remembered for as long as its timestamp would be accepted."""

import hashlib
import time

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.identity.oauth1.models import Nonce

WINDOW = 600  # seconds that a timestamp may be away from now


def mark(consumer_id: str, token_id: str | None, timestamp: str, nonce: str) -> str:
    """What RFC 5849 (3.3) wants to be unique."""
    return hashlib.sha256(msgspec.json.encode([consumer_id, token_id, int(timestamp), nonce])).hexdigest()


def seen(db: Session, mark: str) -> bool:
    return db.scalar(select(Nonce.mark).where(Nonce.mark == mark)) is not None


def keep(db: Session, mark: str, timestamp: str) -> None:
    """Raises IntegrityError when another request came first. What is too old to be accepted again goes."""
    purge(db)
    db.add(Nonce(mark=mark, timestamp=int(timestamp)))
    db.flush()


def purge(db: Session) -> None:
    db.execute(delete(Nonce).where(Nonce.timestamp < int(time.time()) - WINDOW - 1))
