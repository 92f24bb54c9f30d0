"""A small project: an external network, two networks of its own behind a router, and one without any router."""

from tests.network.agent.l3.ground import fresh_id

from pileus.network.agent.snapshot import (
    Dhcp,
    DhcpHost,
    FixedIp,
    FloatingIp,
    HostNetwork,
    Network,
    Router,
    RouterInterface,
    Snapshot,
    Subnet,
)

OUTSIDE_GATEWAY = "203.0.113.1"
ROUTER_OUTSIDE = "203.0.113.10"
FLOATING = "203.0.113.50"


def mac_of(address: str) -> str:
    octets = [int(part) for part in address.split(".")]
    return f"fa:16:3e:{octets[1]:02x}:{octets[2]:02x}:{octets[3]:02x}"


def network_of(prefix: str, hosts: tuple[int, ...] = (), isolated: bool = False, external: bool = False) -> Network:
    subnet = Subnet(fresh_id(), f"{prefix}.0/24", 4, f"{prefix}.1", enable_dhcp=not external)
    dhcp = Dhcp(
        port_id=fresh_id(),
        mac=mac_of(f"{prefix}.2"),
        fixed_ips=(FixedIp(subnet.id, f"{prefix}.2"),),
        hosts=tuple(
            DhcpHost(
                port_id=fresh_id(),
                mac=mac_of(f"{prefix}.{n}"),
                fixed_ips=(FixedIp(subnet.id, f"{prefix}.{n}"),),
                hostname=f"vm{n}",
                device_id=f"server-{prefix}.{n}",
                project_id=f"project-{prefix}",
            )
            for n in hosts
        ),
        metadata_via={subnet.id: f"{prefix}.2" if isolated else f"{prefix}.1"},
        serves_metadata=isolated,
    )
    if external:
        return Network(fresh_id(), "flat", "public", None, 1500, (subnet,))
    return Network(fresh_id(), "vxlan", None, 7, 1450, (subnet,), dhcp=dhcp)


def interface_of(network: Network, address: str) -> RouterInterface:
    return RouterInterface(fresh_id(), network.id, mac_of(address), (FixedIp(network.subnets[0].id, address),))


class Project:
    def __init__(self, state: str, metadata_url: str = "http://127.0.0.1:8775") -> None:
        self.settings = HostNetwork(
            host="one", state=state, tunnel_ip="127.0.0.1", metadata_url=metadata_url, metadata_secret="a secret"
        )
        self.outside = network_of("203.0.113", external=True)
        self.red = network_of("10.10.0", (11, 12))
        self.blue = network_of("10.20.0", (11,))
        self.alone = network_of("10.30.0", (11,), isolated=True)
        self.router = Router(
            id=fresh_id(),
            admin_state_up=True,
            interfaces=(interface_of(self.red, "10.10.0.1"), interface_of(self.blue, "10.20.0.1")),
            gateway=interface_of(self.outside, ROUTER_OUTSIDE),
            enable_snat=True,
            floating_ips=(FloatingIp(fresh_id(), FLOATING, "10.10.0.11"),),
        )
        self.generation = 0

    def snapshot(self, *routers: Router) -> Snapshot:
        self.generation += 1
        return Snapshot("one", self.generation, (self.outside, self.red, self.blue, self.alone), routers=routers)
