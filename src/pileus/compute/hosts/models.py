"""Hosts that run guests: the resource provider, the `hypervisors` row and the `nova-compute` service in one."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id

DOWN_AFTER = timedelta(seconds=60)


class Host(Base):
    """`id` is also the id of the resource provider. Sizes: memory MiB, disk GiB."""

    __tablename__ = "compute_hosts"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    hypervisor_type: Mapped[str] = mapped_column(String(32))
    hypervisor_version: Mapped[int]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    disk_gb: Mapped[int]
    cpu_info: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    address: Mapped[str] = mapped_column(String(39), default="127.0.0.1")
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    uptime: Mapped[str | None] = mapped_column(String(255))  # the line of uptime(1), as last reported
    metrics: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)  # by upstream's names: cpu.percent, …
    pci_devices: Mapped[int] = mapped_column(default=0)  # that it has for guests, taken or not
    failed_builds: Mapped[int] = mapped_column(default=0)  # servers in a row that could not be built here
    availability_zone: Mapped[str] = mapped_column(String(255), default="nova")
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None] = mapped_column(String(255))
    forced_down: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def up(self) -> bool:
        return not self.forced_down and clock.now() - self.seen_at < DOWN_AFTER
