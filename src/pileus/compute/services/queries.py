"""Reading services: a `nova-compute` for each host, and the control plane's own."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.hosts.models import Host
from pileus.compute.services.models import ControlService

COMPUTE = "nova-compute"
INTERNAL = "internal"  # the zone of what runs no guests


@dataclass(frozen=True)
class Service:
    """`row` is the host's, or the control service's."""

    id: str
    binary: str
    host: str
    zone: str
    up: bool
    seen_at: datetime
    row: Host | ControlService
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False

    @property
    def number(self) -> int:
        """The id of microversions before 2.53."""
        return number(self.id)


def number(row_id: str) -> int:
    """A whole number that stands for an id where old microversions want one."""
    return int(row_id[:8], 16) >> 1


def of_host(host: Host) -> Service:
    return Service(
        id=host.id,
        binary=COMPUTE,
        host=host.name,
        zone=host.availability_zone,
        up=host.up,
        seen_at=host.seen_at,
        row=host,
        disabled=host.disabled,
        disabled_reason=host.disabled_reason,
        forced_down=host.forced_down,
    )


def of_control(row: ControlService) -> Service:
    return Service(row.id, row.binary, row.host, INTERNAL, row.up, row.seen_at, row)


def every(db: Session, host: str | None = None, binary: str | None = None) -> list[Service]:
    """Two queries at most."""
    found: list[Service] = []
    if binary != COMPUTE:
        controls = select(ControlService).order_by(ControlService.binary, ControlService.host)
        found += [of_control(row) for row in db.scalars(controls)]
    if binary in (None, COMPUTE):
        found += [of_host(row) for row in db.scalars(select(Host).order_by(Host.name))]
    return [s for s in found if host in (None, s.host) and binary in (None, s.binary)]
