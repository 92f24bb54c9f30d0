"""Hosts announce themselves: one row for the hypervisor, its resource provider beside it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.drivers.base import HostFacts
from pileus.compute.hosts.models import Host
from pileus.compute.settings import ComputeSettings
from pileus.kernel import clock
from pileus.network import internal as network
from pileus.placement import internal as placement
from pileus.placement.internal import Offer


def host(db: Session, settings: ComputeSettings, name: str, address: str, facts: HostFacts) -> Host:
    row = db.scalar(select(Host).where(Host.name == name))
    if row is None:
        row = Host(name=name)
    row.hypervisor_type, row.hypervisor_version = facts.hypervisor_type, facts.hypervisor_version
    row.vcpus, row.memory_mb, row.disk_gb = facts.vcpus, facts.memory_mb, facts.disk_gb
    row.cpu_info, row.address, row.notes, row.seen_at = dict(facts.cpu_info), address, list(facts.notes), clock.now()
    db.add(row)
    db.flush()
    offers = {
        "VCPU": Offer(facts.vcpus, 0, settings.cpu_allocation_ratio),
        "MEMORY_MB": Offer(
            facts.memory_mb, min(settings.reserved_memory_mb, facts.memory_mb - 1), settings.ram_allocation_ratio
        ),
        "DISK_GB": Offer(
            facts.disk_gb, min(settings.reserved_disk_gb, facts.disk_gb - 1), settings.disk_allocation_ratio
        ),
    }
    placement.sync_provider(db, row.id, name, offers, frozenset(facts.traits))
    return row


def seen(db: Session, name: str, notes: list[str], network_notes: list[str]) -> None:
    """The host is alive; the notes say what is degraded there."""
    row = db.scalar(select(Host).where(Host.name == name))
    if row is not None:
        row.seen_at = clock.now()
        row.notes = notes
    network.host_seen(db, name, network_notes)
