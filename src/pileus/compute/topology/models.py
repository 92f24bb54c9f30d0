"""What hosts have below their totals, and which guest has it. A host CPU and a device are in one row: nobody can have them twice."""

from typing import Any

import msgspec
from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.compute.topology.guest import GuestHardware
from pileus.compute.topology.hardware import Hardware
from pileus.kernel.db import Base


class HostHardware(Base):
    """`generation` grows with each claim and each change: who claims on an older one has lost."""

    __tablename__ = "host_hardware"
    host_id: Mapped[str] = mapped_column(ForeignKey("compute_hosts.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)

    def hardware(self) -> Hardware:
        return msgspec.convert(self.facts, Hardware)


class GuestClaim(Base):
    """One server's part of its host. No foreign key to the server, as allocations have none: the claim comes first."""

    __tablename__ = "guest_hardware"
    server_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    host_id: Mapped[str] = mapped_column(String(36), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)

    def hardware(self) -> GuestHardware:
        return msgspec.convert(self.facts, GuestHardware)


class ClaimedCpu(Base):
    """A host CPU that one guest has alone."""

    __tablename__ = "claimed_cpus"
    host_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    cpu: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    server_id: Mapped[str] = mapped_column(String(36), index=True)


class ClaimedDevice(Base):
    """A PCI device that one guest has."""

    __tablename__ = "claimed_devices"
    host_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    address: Mapped[str] = mapped_column(String(16), primary_key=True)
    server_id: Mapped[str] = mapped_column(String(36), index=True)
