"""The wanted network of one host, whole: what the control plane hands the agent and the agent makes true.

Level-triggered: the agent compares a snapshot with what the kernel has and applies the difference. Everything the appliers
make has a name that derives from an id here, so a restarted agent finds what it made.
"""

import msgspec


class Subnet(msgspec.Struct, frozen=True):
    id: str
    cidr: str
    ip_version: int
    gateway_ip: str | None
    enable_dhcp: bool
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[tuple[str, str], ...] = ()  # (destination CIDR, next hop)
    ipv6_ra_mode: str | None = None
    ipv6_address_mode: str | None = None


class FixedIp(msgspec.Struct, frozen=True):
    subnet_id: str
    ip_address: str


class DhcpOption(msgspec.Struct, frozen=True):
    name: str
    value: str
    ip_version: int = 4


class DhcpHost(msgspec.Struct, frozen=True):
    """A port of the network, wherever it is bound: a static lease, a DNS name, and who asks when metadata is asked."""

    port_id: str
    mac: str
    fixed_ips: tuple[FixedIp, ...]
    hostname: str
    device_id: str = ""  # server id when a server owns the port
    project_id: str = ""
    extra_options: tuple[DhcpOption, ...] = ()


class Dhcp(msgspec.Struct, frozen=True):
    """Present on the network when this host serves its DHCP."""

    port_id: str  # the DHCP port itself: ns-<id> in namespace qdhcp-<network>
    mac: str
    fixed_ips: tuple[FixedIp, ...]
    hosts: tuple[DhcpHost, ...]
    dns_domain: str = "openstacklocal"
    lease_seconds: int = 86400
    # subnet id -> address that 169.254.169.254/32 is routed to (option 121): the router's when the subnet has one, else the DHCP port's
    metadata_via: dict[str, str] = {}
    serves_metadata: bool = False  # isolated network: the proxy listens in the DHCP namespace


class Network(msgspec.Struct, frozen=True):
    id: str
    network_type: str  # flat, vxlan (vlan, local, … with their drivers)
    physical_network: str | None
    segmentation_id: int | None
    mtu: int
    subnets: tuple[Subnet, ...]
    peers: tuple[str, ...] = ()  # tunnel addresses of the other hosts that have ports of this network
    dhcp: Dhcp | None = None


class AddressPair(msgspec.Struct, frozen=True):
    mac: str
    cidr: str


class Port(msgspec.Struct, frozen=True):
    """A server's port bound to this host; its tap is `tap<first 11 of id>`."""

    id: str
    network_id: str
    mac: str
    fixed_ips: tuple[FixedIp, ...]
    admin_state_up: bool
    port_security: bool
    device_owner: str
    security_groups: tuple[str, ...] = ()
    address_pairs: tuple[AddressPair, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """A security group rule. None means any. Ports are ICMP type and code when the protocol is ICMP."""

    direction: str  # ingress, egress
    ethertype: str  # IPv4, IPv6
    protocol: str | None = None  # name or number as text
    port_min: int | None = None
    port_max: int | None = None
    remote_cidr: str | None = None
    remote_group: str | None = None


class SecurityGroup(msgspec.Struct, frozen=True):
    id: str
    stateful: bool
    rules: tuple[Rule, ...]
    members: tuple[
        str, ...
    ] = ()  # addresses (plain or CIDR) of all ports in the group, on any host; filled when a rule here names it


class RouterInterface(msgspec.Struct, frozen=True):
    port_id: str  # qr-<first 11>; the gateway's is qg-<first 11>
    network_id: str
    mac: str
    fixed_ips: tuple[FixedIp, ...]


class FloatingIp(msgspec.Struct, frozen=True):
    id: str
    floating_ip_address: str
    fixed_ip_address: str


class Router(msgspec.Struct, frozen=True):
    id: str
    admin_state_up: bool
    interfaces: tuple[RouterInterface, ...]
    gateway: RouterInterface | None
    enable_snat: bool
    floating_ips: tuple[FloatingIp, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()  # (destination, next hop)


class Snapshot(msgspec.Struct, frozen=True):
    """Ids are unique in each tuple. `generation` rises with each change of the wanted state; the report names it."""

    host: str
    generation: int
    networks: tuple[Network, ...] = ()
    ports: tuple[Port, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    routers: tuple[Router, ...] = ()


class PhysicalNetwork(msgspec.Struct, frozen=True):
    """How a physical network of ML2 meets this host.

    `interface` is enslaved to the bridge when given; `address` (CIDR) is put on the bridge itself, so that the machine or namespace
    that runs the agent reaches the network directly; `masquerade` lets guests out through the host's own default route.
    """

    bridge: str
    interface: str | None = None
    address: str | None = None
    masquerade: bool = False


class HostNetwork(msgspec.Struct, frozen=True):
    """The agent's own settings, from its configuration file."""

    host: str
    state: str  # folder for dnsmasq's files and the metadata socket
    tunnel_ip: str
    vxlan_port: int = 4789
    physical_networks: dict[str, PhysicalNetwork] = {}
    metadata_url: str = "http://127.0.0.1:8775"
    metadata_secret: str = ""
    metadata_port: int = 9697


class NetworkReport(msgspec.Struct, frozen=True):
    """What stands now. A port that is in `ports_up` has its tap on its bridge and its rules in force."""

    host: str
    generation: int
    ports_up: tuple[str, ...]
    faults: dict[str, str] = {}  # id of a network, port or router -> why it could not be made true
    notes: tuple[str, ...] = ()
