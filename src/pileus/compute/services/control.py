"""The reconcile role says here that it lives: it is what upstream's conductor and scheduler are."""

import socket

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.services.models import ControlService
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud

BINARIES = ("nova-conductor", "nova-scheduler")
SECONDS = 20  # between two signs of life


def heartbeat(cloud: Cloud) -> None:
    with cloud.db.writing() as db:
        seen(db, cloud.config.cloud.host or socket.gethostname())


def seen(db: Session, host: str) -> None:
    rows = {row.binary: row for row in db.scalars(select(ControlService).where(ControlService.host == host))}
    for binary in BINARIES:
        row = rows.get(binary) or ControlService(binary=binary, host=host)
        row.seen_at = clock.now()
        db.add(row)
