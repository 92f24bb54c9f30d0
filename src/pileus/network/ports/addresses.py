"""Addresses for ports: asked for or found, never given twice (the key of `ip_allocations` has the last word)."""

import random
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, ip_address, ip_network
from typing import NamedTuple

from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, lazyload, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from pileus.kernel.errors import Conflict
from pileus.network.errors import conflict, invalid
from pileus.network.ports.models import ROUTER_OWNERS, IpAllocation, Port
from pileus.network.subnets.models import Subnet

SMALL = 512  # addresses: up to here all that are taken are read, beyond a few are drawn
DRAWN = 24
ATTEMPTS = 8
_DICE = random.SystemRandom()


class AddressRequest(NamedTuple):
    subnet_id: str | None = None
    ip_address: str | None = None


def allocate(db: Session, port: Port, requests: Sequence[AddressRequest] | None, *, first: int = 0) -> None:
    """Give a flushed port its addresses; None asks for what the network offers. Raises BadRequest or Conflict."""
    query = select(Subnet).options(lazyload(Subnet.network)).where(Subnet.network_id == port.network_id)
    subnets = list(db.scalars(query.order_by(Subnet.created_at, Subnet.id)))
    by_id = {subnet.id: subnet for subnet in subnets}
    given: list[_Given] = []
    at = first
    for request in _automatic(port, subnets) if requests is None else [_checked(port, r, by_id) for r in requests]:
        given.append(_take(db, port, request, at))
        at += 1
    used = {one.subnet_id for one in given}
    automatic = [subnet for subnet in subnets if subnet.from_mac and subnet.id not in used]
    if automatic and port.device_owner not in ROUTER_OWNERS and requests != []:
        held = set(db.scalars(select(IpAllocation.subnet_id).where(IpAllocation.port_id == port.id)))
        for subnet in automatic:
            if subnet.id not in held:
                given.append(_take(db, port, _Wish([subnet], None), at))
                at += 1
    _show(db, port, given)


class _Given(NamedTuple):
    subnet_id: str
    ip_address: str
    position: int


def _show(db: Session, port: Port, given: Sequence[_Given]) -> None:
    """Let `port.fixed_ips` be what was written. A new port has nothing else, so that needs no query."""
    rows = [IpAllocation(port_id=port.id, **one._asdict()) for one in given]
    for row in rows:
        make_transient_to_detached(row)
    if port.fixed_ips or any((key := inspect(row).key) is not None and key in db.identity_map for row in rows):
        db.refresh(port, ["fixed_ips"])
        return
    db.add_all(rows)
    set_committed_value(port, "fixed_ips", rows)


class _Wish(NamedTuple):
    """An address, or any of the first of the subnets that has one."""

    subnets: list[Subnet]
    ip_address: str | None


def _automatic(port: Port, subnets: Iterable[Subnet]) -> list[_Wish]:
    """One IPv4 and one stateful IPv6 address, each from the first subnet that still has one."""
    fitting = [s for s in subnets if not s.from_mac and _serves(s, port.device_owner)]
    groups = ([s for s in fitting if s.ip_version == version] for version in (4, 6))
    return [_Wish(group, None) for group in groups if group]


def _serves(subnet: Subnet, device_owner: str) -> bool:
    return not subnet.service_types or any(device_owner.startswith(kind) for kind in subnet.service_types)


def _checked(port: Port, request: AddressRequest, subnets: dict[str, Subnet]) -> _Wish:
    subnet = None
    if request.subnet_id:
        subnet = subnets.get(request.subnet_id)
        if subnet is None:
            raise invalid(
                f"fixed_ips included invalid subnet {request.subnet_id}: it is not on network {port.network_id}."
            )
    if not request.ip_address:
        if subnet is None:
            raise invalid("IP allocation requires subnet_id or ip_address.")
        return _Wish([subnet], None)
    try:
        address = ip_address(request.ip_address)
    except ValueError:
        raise invalid(f"{request.ip_address!r} is not a valid IP address.") from None
    if subnet is None:
        subnet = next((s for s in subnets.values() if address in ip_network(s.cidr)), None)
        if subnet is None:
            message = f"IP address {address} is not a valid IP for any of the subnets on the specified network."
            raise invalid(message, "InvalidIpForNetwork")
    cidr = ip_network(subnet.cidr)
    edge = (
        isinstance(cidr, IPv4Network)
        and cidr.prefixlen < 31
        and address in (cidr.network_address, cidr.broadcast_address)
    )
    if address not in cidr or edge:
        raise invalid(f"IP address {address} is not a valid IP for the specified subnet.", "InvalidIpForSubnet")
    if (
        subnet.from_mac
        and port.device_owner not in ROUTER_OWNERS
        and str(address) != eui64(subnet.cidr, port.mac_address)
    ):
        message = f"IPv6 address {address} cannot be assigned: addresses of subnet {subnet.id} follow from the MAC."
        raise invalid(message, "AllocationOnAutoAddressSubnet")
    return _Wish([subnet], str(address))


def _take(db: Session, port: Port, wish: _Wish, position: int) -> _Given:
    """Write the allocation."""
    if wish.ip_address is not None:
        subnet = wish.subnets[0]
        if not _write(db, port, subnet, wish.ip_address, position):
            raise conflict(
                f"IP address {wish.ip_address} already allocated in subnet {subnet.id}", "IpAddressAlreadyAllocated"
            )
        return _Given(subnet.id, wish.ip_address, position)
    for subnet in wish.subnets:
        if subnet.from_mac and port.device_owner not in ROUTER_OWNERS:
            address = eui64(subnet.cidr, port.mac_address)
            if _write(db, port, subnet, address, position):
                return _Given(subnet.id, address, position)
            continue
        for _ in range(ATTEMPTS):
            free = free_address(db, subnet)
            if free is None:
                break
            if _write(db, port, subnet, free, position):
                return _Given(subnet.id, free, position)
    raise exhausted(port.network_id)


def exhausted(network_id: str) -> Conflict:
    return conflict(f"No more IP addresses available on network {network_id}.", "IpAddressGenerationFailure")


def _write(db: Session, port: Port, subnet: Subnet, address: str, position: int) -> bool:
    """False when somebody else has it: nothing of the transaction is lost."""
    try:
        with db.begin_nested():
            db.execute(
                insert(IpAllocation).values(subnet_id=subnet.id, ip_address=address, port_id=port.id, position=position)
            )
    except IntegrityError:
        return False
    return True


def free_address(db: Session, subnet: Subnet) -> str | None:
    """One of the first free addresses of a small pool; a drawn one of a large pool, whose taken set is read only when it is nearly full."""
    pools = [range(int(ip_address(p["start"])), int(ip_address(p["end"])) + 1) for p in subnet.allocation_pools]
    size = sum(pool.stop - pool.start for pool in pools)
    taken_query = select(IpAllocation.ip_address).where(IpAllocation.subnet_id == subnet.id)
    if size > SMALL:
        drawn = [_text(subnet, _at(pools, _DICE.randrange(size))) for _ in range(DRAWN)]
        taken = set(db.scalars(taken_query.where(IpAllocation.ip_address.in_(drawn))))
        found = next((address for address in drawn if address not in taken), None)
        if found is not None:
            return found
    taken = set(db.scalars(taken_query))
    return next(
        (text for pool in pools for number in _each(pool) if (text := _text(subnet, number)) not in taken), None
    )


def _each(pool: range) -> Iterable[int]:
    number = pool.start
    while number < pool.stop:  # iter(range) refuses more than 64 bits
        yield number
        number += 1


def _at(pools: Iterable[range], index: int) -> int:
    for pool in pools:
        if index < pool.stop - pool.start:
            return pool.start + index
        index -= pool.stop - pool.start
    raise IndexError(index)


def _text(subnet: Subnet, number: int) -> str:
    """Small numbers would else be read as IPv4."""
    return str(ip_address(number.to_bytes(4 if subnet.ip_version == 4 else 16, "big")))


def eui64(cidr: str, mac: str) -> str:
    """The address that SLAAC makes of a MAC: the 7th bit flipped, ff:fe in the middle."""
    parts = bytes.fromhex(mac.replace(":", ""))
    suffix = bytes([parts[0] ^ 2]) + parts[1:3] + b"\xff\xfe" + parts[3:]
    return str(ip_address(int(ip_network(cidr).network_address) | int.from_bytes(suffix, "big")))
