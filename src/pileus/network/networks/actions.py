"""Writes of networks."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.network import usage
from pileus.network.attributes import Tag
from pileus.network.drivers.types import base as types
from pileus.network.drivers.types.base import Carrier
from pileus.network.errors import conflict, invalid
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.networks.models import Network, Segment
from pileus.network.ports import actions as ports
from pileus.network.ports.models import DHCP, ROUTER_GATEWAY, SERVICE, Port
from pileus.network.settings import settings_of
from pileus.network.subnets.models import Subnet

SMALLEST_MTU = 68  # what IPv4 asks of every link


def create(db: Session, project_id: str, network: Network, carrier: Carrier | None, mtu: int | None) -> Network:
    """Adds a network that has its plain attributes already. Raises BadRequest, or Conflict (over quota, carrier in use)."""
    usage.check(db, project_id, "network")
    settings = settings_of(db)
    if carrier is None:
        carrier, largest = types.choose(db, settings)
    else:
        largest = settings.mtu - types.load(carrier.network_type, settings).overhead
        _check_free(db, carrier)
    network.id, network.project_id = new_id(), project_id
    network.mtu = _mtu(mtu, largest)
    network.segment = Segment(
        network_id=network.id,
        network_type=carrier.network_type,
        physical_network=carrier.physical_network,
        segmentation_id=carrier.segmentation_id,
    )
    _only_default(db, network)
    db.add(network)
    db.flush()
    return network


def _check_free(db: Session, carrier: Carrier) -> None:
    taken = select(Segment.network_id).where(
        Segment.network_type == carrier.network_type,
        Segment.physical_network == carrier.physical_network,
        Segment.segmentation_id == carrier.segmentation_id,
    )
    if db.scalar(taken) is None:
        return
    if carrier.segmentation_id:
        message = f"Unable to create the network. The tunnel ID {carrier.segmentation_id} is in use."
        raise conflict(message, "TunnelIdInUse")
    raise conflict(
        f"Unable to create the flat network. Physical network {carrier.physical_network} is in use.", "FlatNetworkInUse"
    )


def _mtu(asked: int | None, largest: int) -> int:
    if not asked:
        return largest
    if not SMALLEST_MTU <= asked <= largest:
        raise invalid(f"Requested MTU is too big or too small: it is from {SMALLEST_MTU} to {largest}.", "InvalidInput")
    return asked


def set_mtu(db: Session, network: Network, mtu: int) -> None:
    settings = settings_of(db)
    network.mtu = _mtu(mtu, settings.mtu - types.load(network.segment.network_type, settings).overhead)


def _only_default(db: Session, network: Network) -> None:
    if not network.is_default:
        return
    if not network.external:
        raise invalid("only an external network can be the default network.")
    other = db.scalar(
        select(Network.id).where(Network.is_default.is_(True), Network.external.is_(True), Network.id != network.id)
    )
    if other is not None:
        raise conflict(f"A default external network already exists: {other}.", "DefaultExternalNetworkExists")


def set_external(db: Session, network: Network, external: bool, is_default: bool) -> None:
    if network.external and not external and db.scalar(_gateways(network.id).limit(1)) is not None:
        raise conflict(
            f"External network {network.id} cannot be updated to be made non-external, since it has existing gateway ports.",
            "ExternalNetworkInUse",
        )
    network.external, network.is_default = external, is_default and external
    _only_default(db, network)


def set_shared(db: Session, network: Network, shared: bool) -> None:
    if network.shared and not shared:
        foreign = select(Port.id).where(
            Port.network_id == network.id,
            Port.project_id.not_in([network.project_id, ""]),
            Port.device_owner.not_in([DHCP, ROUTER_GATEWAY]),
        )
        if db.scalar(foreign.limit(1)) is not None:
            message = f"Unable to reconfigure sharing settings for network {network.id}. Multiple tenants are using it."
            raise conflict(message, "InvalidSharedSetting")
    network.shared = shared


def _gateways(network_id: str) -> Select[str]:
    return select(Port.id).where(
        Port.network_id == network_id, Port.device_owner == ROUTER_GATEWAY, Port.router_id.is_not(None)
    )


def destroy(db: Session, network: Network) -> None:
    """With its subnets, its DHCP port and floating IPs that lead nowhere; any other port refuses. Raises Conflict."""
    held = {port.id: port for port in db.scalars(select(Port).where(Port.network_id == network.id))}
    idle = list(
        db.scalars(select(FloatingIp).where(FloatingIp.floating_network_id == network.id, FloatingIp.port_id.is_(None)))
    )
    own = [port.id for port in held.values() if port.device_owner == DHCP and port.made_by == SERVICE]
    if set(held) - {row.floating_port_id for row in idle} - set(own):
        message = f"Unable to complete operation on network {network.id}. There are one or more ports still in use on the network."
        raise conflict(message, "NetworkInUse")
    for row in idle:
        Tag.forget(db, row.id)
        db.delete(row)
    db.flush()
    for port in held.values():
        ports.destroy(db, port)
    for subnet in db.scalars(select(Subnet).where(Subnet.network_id == network.id)):
        Tag.forget(db, subnet.id)
        db.delete(subnet)
    db.flush()
    db.delete(network)
    db.flush()
