"""Reading what is left of hosts' hardware, and taking and giving back parts of it, in the caller's transaction."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.compute.topology.guest import GuestHardware
from pileus.compute.topology.hardware import SMALL_KB, Hardware
from pileus.compute.topology.models import ClaimedCpu, ClaimedDevice, GuestClaim, HostHardware
from pileus.compute.topology.room import Room


def report(db: Session, host_id: str, hardware: Hardware) -> None:
    """What the host's agent says it has. What guests hold of it stays theirs."""
    facts = msgspec.to_builtins(hardware)
    row = db.get(HostHardware, host_id, with_for_update=True)
    if row is None:
        db.add(HostHardware(host_id=host_id, facts=facts))
    elif row.hardware() != hardware:
        row.facts, row.generation = facts, row.generation + 1
    db.flush()


def rooms(db: Session, host_ids: Collection[str]) -> dict[str, Room]:
    """By host; the generation is read first, so that a claim on anything that changed meanwhile is lost."""
    columns = select(HostHardware.host_id, HostHardware.generation, HostHardware.facts)
    hosts = db.execute(columns.where(HostHardware.host_id.in_(host_ids))).all()
    cpus: defaultdict[str, set[int]] = defaultdict(set)
    for host, cpu in db.execute(select(ClaimedCpu.host_id, ClaimedCpu.cpu).where(ClaimedCpu.host_id.in_(host_ids))):
        cpus[host].add(cpu)
    devices: defaultdict[str, set[str]] = defaultdict(set)
    taken = select(ClaimedDevice.host_id, ClaimedDevice.address).where(ClaimedDevice.host_id.in_(host_ids))
    for host, address in db.execute(taken):
        devices[host].add(address)
    memory: defaultdict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    floating: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for claim in db.scalars(select(GuestClaim).where(GuestClaim.host_id.in_(host_ids))):
        guest = claim.hardware()
        for cell in guest.cells:
            memory[claim.host_id][cell.host_cell, guest.page_kb or SMALL_KB] += cell.memory_mb
            floating[claim.host_id][cell.host_cell] += len(cell.vcpus) - len(cell.pins)
    return {
        host: Room(
            msgspec.convert(facts, Hardware),
            generation,
            frozenset(cpus[host]),
            frozenset(devices[host]),
            memory[host],
            floating[host],
        )
        for host, generation, facts in hosts
    }


def reserve(db: Session, host_id: str, room: Room) -> bool:
    """The right to claim on the room as it was read: False when it changed since. Compare-and-swap."""
    seen = (HostHardware.host_id == host_id, HostHardware.generation == room.generation)
    swap = update(HostHardware).where(*seen).values(generation=HostHardware.generation + 1)
    return getattr(db.execute(swap.execution_options(synchronize_session=False)), "rowcount", 0) == 1


def take(db: Session, host_id: str, server_id: str, guest: GuestHardware) -> None:
    """After `reserve`. A CPU or device that somebody has all the same would break the key of its table, and the transaction."""
    db.add(GuestClaim(server_id=server_id, host_id=host_id, facts=msgspec.to_builtins(guest)))
    db.add_all(ClaimedCpu(host_id=host_id, cpu=cpu, server_id=server_id) for cpu in guest.cpus())
    db.add_all(ClaimedDevice(host_id=host_id, address=address, server_id=server_id) for address in guest.devices)
    db.flush()


def release(db: Session, server_id: str) -> None:
    """Give everything back; a server without anything is fine."""
    for model in (ClaimedCpu, ClaimedDevice, GuestClaim):
        db.execute(delete(model).where(model.server_id == server_id))


def of_servers(db: Session, server_ids: Collection[str]) -> dict[str, GuestHardware]:
    """Servers without a claim are left out."""
    found = db.scalars(select(GuestClaim).where(GuestClaim.server_id.in_(server_ids))) if server_ids else ()
    return {claim.server_id: claim.hardware() for claim in found}


def strays(db: Session, servers: Mapping[str, str | None]) -> list[str]:
    """Claims of no server, two servers with one CPU or device, and pins that the table does not know: must be empty (`pileus audit`).

    `servers`: the host's id of every server.
    """
    found: list[str] = []
    held: dict[tuple[str, str], str] = {}
    for claim in db.scalars(select(GuestClaim)):
        guest = claim.hardware()
        if servers.get(claim.server_id) != claim.host_id:
            found.append(f"hardware claim of unknown server {claim.server_id} on host {claim.host_id}")
        for part in (*(f"CPU {cpu}" for cpu in guest.cpus()), *(f"device {address}" for address in guest.devices)):
            if (other := held.setdefault((claim.host_id, part), claim.server_id)) != claim.server_id:
                found.append(f"{part} of host {claim.host_id} is held by servers {other} and {claim.server_id}")
    noted = {(host, f"CPU {cpu}"): server for host, cpu, server in db.execute(_CPUS)}
    noted |= {(host, f"device {address}"): server for host, address, server in db.execute(_DEVICES)}
    for key in sorted(noted.keys() | held.keys()):
        if noted.get(key) != held.get(key):
            host, part = key
            found.append(f"{part} of host {host} is noted for server {noted.get(key)} and given to {held.get(key)}")
    return found


_CPUS = select(ClaimedCpu.host_id, ClaimedCpu.cpu, ClaimedCpu.server_id)
_DEVICES = select(ClaimedDevice.host_id, ClaimedDevice.address, ClaimedDevice.server_id)
