"""Writes of subnet pools."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.network.errors import conflict, invalid
from pileus.network.subnet_pools.models import SubnetPool
from pileus.network.subnets import cidrs
from pileus.network.subnets.cidrs import Cidr
from pileus.network.subnets.models import Subnet

SMALLEST = {4: 8, 6: 64}  # prefix length that pools allow at least, when none is given


def set_prefixes(db: Session, pool: SubnetPool, given: Sequence[str]) -> None:
    """One version, no doubles; nothing that is handed out may leave."""
    nets = [cidrs.cidr(text) for text in given]
    if not nets:
        raise invalid("Empty subnet pool prefix list.", "EmptySubnetPoolPrefixList")
    versions = {net.version for net in nets}
    if len(versions) > 1 or (pool.ip_version and versions != {pool.ip_version}):
        raise invalid("Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", "PrefixVersionMismatch")
    pool.ip_version = nets[0].version
    merged: list[Cidr] = [
        *collapse_addresses(net for net in nets if isinstance(net, IPv4Network)),
        *collapse_addresses(net for net in nets if isinstance(net, IPv6Network)),
    ]
    if pool.id:
        for text in db.scalars(select(Subnet.cidr).where(Subnet.subnetpool_id == pool.id)):
            used = ip_network(text)
            if not any(_holds(net, used) for net in merged):
                message = f"Illegal subnetpool update: subnet {used} is allocated from it."
                raise conflict(message, "IllegalSubnetPoolPrefixUpdate")
    pool.prefixes = [str(net) for net in merged]


def set_lengths(pool: SubnetPool, default: int | None, low: int | None, high: int | None) -> None:
    """`low` to `high` are prefix lengths; what is None keeps or gets its default."""
    width = 32 if pool.ip_version == 4 else 128
    pool.min_prefixlen = low if low is not None else pool.min_prefixlen or SMALLEST[pool.ip_version]
    pool.max_prefixlen = high if high is not None else pool.max_prefixlen or width
    pool.default_prefixlen = default if default is not None else pool.default_prefixlen or pool.min_prefixlen
    if not 0 <= pool.min_prefixlen <= pool.max_prefixlen <= width:
        message = f"Illegal prefix bounds: min_prefixlen={pool.min_prefixlen}, max_prefixlen={pool.max_prefixlen}."
        raise invalid(message, "IllegalSubnetPoolPrefixBounds")
    if not pool.min_prefixlen <= pool.default_prefixlen <= pool.max_prefixlen:
        bounds = f"{pool.min_prefixlen} to {pool.max_prefixlen}"
        message = f"Illegal prefix bounds: default_prefixlen={pool.default_prefixlen} is outside {bounds}."
        raise invalid(message, "IllegalSubnetPoolPrefixBounds")


def set_default(db: Session, pool: SubnetPool, default: bool) -> None:
    query = select(SubnetPool.id).where(SubnetPool.is_default.is_(True), SubnetPool.ip_version == pool.ip_version)
    if default and db.scalar(query.where(SubnetPool.id != (pool.id or ""))) is not None:
        raise invalid(f"A default subnetpool for IPv{pool.ip_version} has already been set.")
    pool.is_default = default


def destroy(db: Session, pool: SubnetPool) -> None:
    if db.scalar(select(Subnet.id).where(Subnet.subnetpool_id == pool.id).limit(1)) is not None:
        raise conflict(
            f"Unable to delete subnet pool {pool.id}: Subnet pool has existing allocations.", "SubnetPoolDeleteError"
        )
    db.delete(pool)
    db.flush()


def _holds(net: Cidr, part: Cidr) -> bool:
    first, last = int(part.network_address), int(part.broadcast_address)
    return int(net.network_address) <= first and last <= int(net.broadcast_address)
