"""Hosts announce themselves: one row for the hypervisor, its resource provider beside it."""

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from pileus.compute.drivers.base import HostFacts
from pileus.compute.hosts.models import Host
from pileus.compute.hosts.wire import HostLoad
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import claims
from pileus.kernel import clock
from pileus.network import internal as network
from pileus.placement import internal as placement
from pileus.placement.internal import Offer


def host(db: Session, settings: ComputeSettings, name: str, address: str, facts: HostFacts) -> Host:
    settings = settings.of_host(name)
    row = db.scalar(select(Host).where(Host.name == name))
    if row is None:
        row = Host(name=name)
    row.hypervisor_type, row.hypervisor_version = facts.hypervisor_type, facts.hypervisor_version
    row.vcpus, row.memory_mb, row.disk_gb = facts.vcpus, facts.memory_mb, facts.disk_gb
    row.pci_devices = len(facts.hardware.devices)
    row.cpu_info, row.address, row.notes, row.seen_at = dict(facts.cpu_info), address, list(facts.notes), clock.now()
    db.add(row)
    db.flush()
    shared = len(facts.hardware.shared) if facts.hardware.cells else facts.vcpus
    offers = {
        "VCPU": Offer(shared, 0, settings.cpu_allocation_ratio),
        "PCPU": Offer(len(facts.hardware.dedicated)),
        "MEMORY_MB": Offer(
            facts.memory_mb, min(settings.reserved_memory_mb, facts.memory_mb - 1), settings.ram_allocation_ratio
        ),
        "DISK_GB": Offer(
            facts.disk_gb, min(settings.reserved_disk_gb, facts.disk_gb - 1), settings.disk_allocation_ratio
        ),
    }
    offers = {name: offer for name, offer in offers.items() if offer.total > 0}
    claims.report(db, row.id, facts.hardware)  # first, as a boot locks them
    placement.sync_provider(db, row.id, name, offers, frozenset(facts.traits))
    return row


def seen(db: Session, name: str, notes: list[str], network_notes: list[str], load: HostLoad | None = None) -> None:
    """The host is alive; the notes say what is degraded there, the load how busy it is."""
    row = db.scalar(select(Host).where(Host.name == name))
    if row is not None:
        row.seen_at = clock.now()
        row.notes = notes
        if load is not None:
            row.uptime, row.metrics = load.uptime, load.metrics
    network.host_seen(db, name, network_notes)


def build_failed(db: Session, host_id: str | None) -> None:
    """One more server in a row that the host could not build: the scheduler's `build_failure` weigher looks at this."""
    db.execute(_of(host_id).values(failed_builds=Host.failed_builds + 1))


def built(db: Session, host_id: str | None) -> None:
    """The host builds servers (again)."""
    db.execute(_of(host_id).where(Host.failed_builds > 0).values(failed_builds=0))


def _of(host_id: str | None) -> Update:
    return update(Host).where(Host.id == host_id).execution_options(synchronize_session=False)
