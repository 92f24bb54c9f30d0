"""The reconcile role says here that it lives: it is what upstream's conductor and scheduler are."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.services.models import ControlService
from pileus.kernel import clock

BINARIES = ("nova-conductor", "nova-scheduler")


def seen(db: Session, host: str) -> None:
    """To be said at least twice a minute."""
    rows = {row.binary: row for row in db.scalars(select(ControlService).where(ControlService.host == host))}
    for binary in BINARIES:
        row = rows.get(binary) or ControlService(binary=binary, host=host)
        row.seen_at = clock.now()
        db.add(row)
