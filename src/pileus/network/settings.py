"""Section `[network]`, and how code that holds only a session finds it."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import make_url
from sqlalchemy.orm import Session

Limit = Annotated[int, Meta(ge=-1)]


class NetworkSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Section `[network]`."""

    type_drivers: Annotated[tuple[str, ...], Meta(description="ML2 type drivers that networks may use")] = (
        "flat",
        "vxlan",
    )
    tenant_network_types: Annotated[
        tuple[str, ...], Meta(description="types tried in turn for a project's network")
    ] = ("vxlan",)
    vni_ranges: Annotated[tuple[str, ...], Meta(description="VXLAN network ids handed out, first:last")] = ("1:65535",)
    flat_networks: Annotated[
        tuple[str, ...], Meta(description="physical networks that may be flat networks; * is any")
    ] = ("*",)
    mtu: Annotated[int, Meta(ge=1280, le=65535, description="MTU of the physical networks")] = 1500
    dns_domain: Annotated[str, Meta(description="domain of the names that DHCP serves")] = "openstacklocal"
    dhcp_lease_seconds: Annotated[int, Meta(ge=120, description="length of a DHCP lease")] = 86400
    host_down_after: Annotated[
        int, Meta(ge=5, description="seconds without a report until a network host counts as down")
    ] = 75
    max_dns_nameservers: Annotated[int, Meta(ge=0, description="name servers a subnet may have")] = 5
    max_host_routes: Annotated[int, Meta(ge=0, description="host routes a subnet may have")] = 20
    max_routes: Annotated[int, Meta(ge=0, description="extra routes a router may have")] = 30
    max_address_pairs: Annotated[int, Meta(ge=0, description="allowed address pairs a port may have")] = 10
    max_fixed_ips: Annotated[int, Meta(ge=1, description="addresses that one request may ask for a port")] = 20
    quota_network: Annotated[Limit, Meta(description="networks a project; -1 is unlimited")] = 100
    quota_subnet: Annotated[Limit, Meta(description="subnets a project")] = 100
    quota_subnetpool: Annotated[Limit, Meta(description="subnet pools a project")] = -1
    quota_port: Annotated[Limit, Meta(description="ports a project")] = 500
    quota_router: Annotated[Limit, Meta(description="routers a project")] = 10
    quota_floatingip: Annotated[Limit, Meta(description="floating IPs a project")] = 50
    quota_security_group: Annotated[Limit, Meta(description="security groups a project")] = 10
    quota_security_group_rule: Annotated[Limit, Meta(description="security group rules a project")] = 100
    public_network: Annotated[
        str, Meta(description="name of the external network that a new cloud gets; empty: none")
    ] = "public"
    public_physical_network: Annotated[str, Meta(description="physical network of the external network")] = "public"
    public_cidr: Annotated[str, Meta(description="addresses of the external network")] = "172.24.4.0/24"
    public_gateway: Annotated[str, Meta(description="gateway of the external network, outside the cloud")] = (
        "172.24.4.1"
    )
    public_pool: Annotated[str, Meta(description="addresses handed out on the external network, first-last")] = (
        "172.24.4.10-172.24.4.250"
    )
    private_network: Annotated[str, Meta(description="name of the demo project's network; empty: none")] = "private"
    private_cidr: Annotated[str, Meta(description="addresses of the demo project's network")] = "10.1.0.0/24"
    private_dns: Annotated[tuple[str, ...], Meta(description="name servers of the demo project's network")] = ()

    @property
    def quota_defaults(self) -> dict[str, int]:
        return {
            "network": self.quota_network,
            "subnet": self.quota_subnet,
            "subnetpool": self.quota_subnetpool,
            "port": self.quota_port,
            "router": self.quota_router,
            "floatingip": self.quota_floatingip,
            "security_group": self.quota_security_group,
            "security_group_rule": self.quota_security_group_rule,
        }


_BY_DATABASE: dict[str, NetworkSettings] = {}
DEFAULTS = NetworkSettings()


def register(database_url: str, settings: NetworkSettings) -> None:
    """Called once a process by the manifest's setup."""
    _BY_DATABASE[make_url(database_url).render_as_string(hide_password=False)] = settings


def settings_of(db: Session) -> NetworkSettings:
    """The settings of the cloud whose database this session is on: `internal.py`'s callers pass nothing but a session."""
    return _BY_DATABASE.get(db.get_bind().engine.url.render_as_string(hide_password=False), DEFAULTS)
