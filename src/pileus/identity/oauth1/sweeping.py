"""Dropping what is over."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pileus.identity.oauth1 import nonces
from pileus.identity.oauth1.models import AccessToken, RequestToken
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud


def purge(db: Session, before: datetime | None = None) -> None:
    """Request and access tokens that have been over since `before` (default: now), and nonces too old to matter."""
    moment = before or clock.now()
    for kind in (RequestToken, AccessToken):
        db.execute(delete(kind).where(kind.expires_at < moment))
    nonces.purge(db)


def sweep(cloud: Cloud) -> None:
    """The chore."""
    cloud.db.transact(purge)
