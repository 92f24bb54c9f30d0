"""A CIDR for a new subnet: the one that was asked for, or a free one of a pool."""

from ipaddress import ip_address, ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.kernel.context import Context
from pileus.kernel.errors import BadRequest
from pileus.network.errors import conflict, invalid, not_found
from pileus.network.subnet_pools.models import SubnetPool
from pileus.network.subnets import cidrs
from pileus.network.subnets.cidrs import Cidr
from pileus.network.subnets.models import Subnet
from pileus.network.subnets.schemas import NewSubnet

VERSIONS = (4, 6)


def cidr_for(db: Session, context: Context, new: NewSubnet) -> tuple[str | None, Cidr]:
    """(pool id, CIDR). Raises BadRequest, NotFound, Conflict."""
    version = new.ip_version if isinstance(new.ip_version, int) else None
    if version is not None and version not in VERSIONS:
        raise invalid(f"'{version}' is not in [4, 6].")
    pool = _pool(db, context, new, version)
    asked = cidrs.cidr(new.cidr, version) if isinstance(new.cidr, str) else None
    if pool is None:
        if version is None:
            raise BadRequest("Failed to parse request. Required attribute 'ip_version' not specified")
        if asked is None:
            raise BadRequest(
                "Bad subnets request: a subnetpool must be specified in the absence of a cidr.", kind="BadRequest"
            )
        if isinstance(new.prefixlen, int):
            raise BadRequest("Bad subnets request: prefixlen is for subnets of a subnet pool.", kind="BadRequest")
        return None, asked
    if version is not None and version != pool.ip_version:
        raise invalid(
            f"ip_version {version} does not match subnet pool {pool.id}, which is of version {pool.ip_version}."
        )
    if asked is not None and isinstance(new.prefixlen, int):
        raise BadRequest("Bad subnets request: cidr and prefixlen must not be supplied together.", kind="BadRequest")
    return pool.id, _from(db, pool, new.prefixlen if isinstance(new.prefixlen, int) else pool.default_prefixlen, asked)


def _pool(db: Session, context: Context, new: NewSubnet, version: int | None) -> SubnetPool | None:
    """The row stays locked to the end, so that no prefix is given twice."""
    query = select(SubnetPool).with_for_update()
    if isinstance(new.subnetpool_id, str) and new.subnetpool_id:
        pool = db.scalar(query.where(SubnetPool.id == new.subnetpool_id))
        if pool is None or not (context.sees_project(pool.project_id) or pool.shared):
            raise not_found("Subnet pool", new.subnetpool_id, "SubnetPoolNotFound")
        return pool
    if new.use_default_subnetpool is True:
        pool = db.scalar(query.where(SubnetPool.is_default.is_(True), SubnetPool.ip_version == (version or 4)))
        if pool is None:
            raise not_found("Default subnet pool for IP version", str(version or 4), "SubnetPoolNotFound")
        return pool
    return None


def _from(db: Session, pool: SubnetPool, prefixlen: int, asked: Cidr | None) -> Cidr:
    length = asked.prefixlen if asked is not None else prefixlen
    if length < pool.min_prefixlen:
        message = (
            f"Unable to allocate subnet with prefix length {length}, minimum allowed prefix is {pool.min_prefixlen}."
        )
        raise BadRequest(message, kind="MinPrefixSubnetAllocationError")
    if length > pool.max_prefixlen:
        message = (
            f"Unable to allocate subnet with prefix length {length}, maximum allowed prefix is {pool.max_prefixlen}."
        )
        raise BadRequest(message, kind="MaxPrefixSubnetAllocationError")
    taken = sorted(
        (ip_network(text) for text in db.scalars(select(Subnet.cidr).where(Subnet.subnetpool_id == pool.id))),
        key=_first,
    )
    prefixes = sorted((ip_network(text) for text in pool.prefixes), key=_first)
    if asked is not None:
        inside = any(_first(prefix) <= _first(asked) and _last(asked) <= _last(prefix) for prefix in prefixes)
        if not inside or any(asked.overlaps(other) for other in taken):
            raise conflict(
                f"Failed to allocate subnet: Cannot allocate requested subnet {asked} from the available set of prefixes.",
                "SubnetAllocationError",
            )
        return asked
    for prefix in prefixes:
        found = _gap(prefix, taken, length)
        if found is not None:
            return found
    raise conflict(
        f"Failed to allocate subnet: Insufficient prefix space to allocate subnet size /{length}.",
        "SubnetAllocationError",
    )


def _first(net: Cidr) -> int:
    return int(net.network_address)


def _last(net: Cidr) -> int:
    return int(net.broadcast_address)


def _gap(prefix: Cidr, taken: list[Cidr], length: int) -> Cidr | None:
    """The first free aligned block."""
    if length < prefix.prefixlen:
        return None
    size = 1 << (prefix.max_prefixlen - length)
    at = _first(prefix)
    for other in taken:
        if _last(other) < at or _first(other) > _last(prefix):
            continue
        if at + size <= _first(other):
            break
        at = -(-(_last(other) + 1) // size) * size
    if at + size - 1 > _last(prefix):
        return None
    width = 4 if prefix.version == 4 else 16
    return ip_network(f"{ip_address(at.to_bytes(width, 'big'))}/{length}")
