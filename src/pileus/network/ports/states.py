"""From wanted state and facts to a status."""

from pileus.network.ports.models import DHCP, FLOATING_IP, ROUTER_OWNERS, SERVICE, Port

ACTIVE, BUILD, DOWN = "ACTIVE", "BUILD", "DOWN"


def status(port: Port) -> str:
    """DOWN without a host; BUILD until the host has reported; then what it reported. Ports of our own services stand with their host."""
    if port.made_by == SERVICE and port.device_owner == FLOATING_IP:
        return "N/A"
    if not port.admin_state_up or not port.host:
        return DOWN
    fact = port.fact if port.fact is not None and port.fact.host == port.host else None
    if port.device_owner in (DHCP, *ROUTER_OWNERS) and (port.made_by == SERVICE or port.router_id is not None):
        return DOWN if fact is not None and fact.fault else ACTIVE
    if fact is None:
        return BUILD
    return ACTIVE if fact.up else DOWN
