"""Packets through a router's namespace: out by SNAT, in by floating IP, between networks, and nowhere else."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.network.agent.l3.ground import Guest, bridge, fresh_id
from tests.network.agent.l3.world import (
    FLOATING,
    OUTSIDE_GATEWAY,
    ROUTER_OUTSIDE,
    Project,
    interface_of,
    mac_of,
    network_of,
)

from pileus.network.agent.l3.routers import Routers
from pileus.network.agent.namespaces import entered, namespaces, run_in
from pileus.network.agent.netlink import Netlink
from pileus.network.agent.snapshot import FloatingIp, Network, Router, Snapshot

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("machine")]


class Town:
    """The project and guests: `inet` outside, `first` (with the floating IP) and `second` in red, `other` in blue."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(str(folder))
        self.routers = Routers(self.project.settings)
        self.routers.start()
        for network in (self.project.outside, self.project.red, self.project.blue):
            bridge(network)
        self.inet = self._guest(self.project.outside, f"{OUTSIDE_GATEWAY}/24", None)
        self.first = self._guest(self.project.red, "10.10.0.11/24", "10.10.0.1")
        self.second = self._guest(self.project.red, "10.10.0.12/24", "10.10.0.1")
        self.other = self._guest(self.project.blue, "10.20.0.11/24", "10.20.0.1")

    def _guest(self, network: Network, address: str, gateway: str | None) -> Guest:
        guest = Guest(network, mac_of(address.partition("/")[0]))
        guest.configure(address, gateway)
        return guest

    @property
    def namespace(self) -> str:
        return f"qrouter-{self.project.router.id}"

    def apply(self, router: Router | None = None) -> None:
        assert self.routers.apply(self.project.snapshot(router or self.project.router)) == {}

    def source_seen(self, client: Guest, server: Guest, address: str) -> str:
        """Which source address the server sees when the client connects to `address`."""
        with server.listen(7000) as listening, client.connect(address, 7000):
            accepted, peer = listening.accept()
            accepted.close()
            return str(peer[0])


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    made.apply()
    yield made
    made.routers.stop(remove=True)
    assert made.routers.leaks(Snapshot("one", 0)) == []
    assert not [name for name in namespaces() if name.startswith("qrouter-")]
    with Netlink() as host:
        assert not [name for name in host.links() if name.startswith("tap")]


def test_out_by_snat_and_by_floating_ip(town: Town) -> None:
    assert town.source_seen(town.second, town.inet, OUTSIDE_GATEWAY) == ROUTER_OUTSIDE
    assert town.source_seen(town.first, town.inet, OUTSIDE_GATEWAY) == FLOATING
    assert town.second.pings(OUTSIDE_GATEWAY)


def test_in_by_floating_ip_shows_the_true_client(town: Town) -> None:
    assert town.inet.pings(FLOATING)
    assert town.source_seen(town.inet, town.first, FLOATING) == OUTSIDE_GATEWAY


def test_floating_ip_from_inside(town: Town) -> None:
    assert town.source_seen(town.second, town.first, FLOATING) == ROUTER_OUTSIDE  # same network: a hairpin
    assert town.source_seen(town.other, town.first, FLOATING) == ROUTER_OUTSIDE
    assert town.source_seen(town.first, town.first, FLOATING) == FLOATING


def test_between_networks_nothing_is_translated(town: Town) -> None:
    assert town.source_seen(town.second, town.other, "10.20.0.11") == "10.10.0.12"


def test_without_snat_only_the_floating_ip_gets_out(town: Town) -> None:
    town.apply(msgspec.structs.replace(town.project.router, enable_snat=False))
    with pytest.raises(OSError):
        town.second.connect(OUTSIDE_GATEWAY, 7000, seconds=0.5)
    assert town.source_seen(town.first, town.inet, OUTSIDE_GATEWAY) == FLOATING


def test_floating_ip_that_goes_ends_its_connections(town: Town) -> None:
    with town.first.listen(7000) as listening, town.inet.connect(FLOATING, 7000) as client:
        accepted, _ = listening.accept()
        with accepted:
            client.sendall(b"before")
            assert accepted.recv(10) == b"before"
            town.apply(msgspec.structs.replace(town.project.router, floating_ips=()))
            accepted.settimeout(0.5)
            client.sendall(b"after")
            with pytest.raises(TimeoutError):
                accepted.recv(10)
    assert not town.inet.pings(FLOATING)


def test_floating_ip_moves_to_another_server_at_once(town: Town) -> None:
    assert town.source_seen(town.inet, town.first, FLOATING) == OUTSIDE_GATEWAY
    moved = FloatingIp(fresh_id(), FLOATING, "10.10.0.12")
    town.apply(msgspec.structs.replace(town.project.router, floating_ips=(moved,)))
    assert town.source_seen(town.inet, town.second, FLOATING) == OUTSIDE_GATEWAY


def test_router_that_is_down_forwards_nothing(town: Town) -> None:
    town.apply(msgspec.structs.replace(town.project.router, admin_state_up=False))
    assert not town.second.pings(OUTSIDE_GATEWAY)
    assert not town.second.pings("10.20.0.11")
    town.apply()
    assert town.second.pings(OUTSIDE_GATEWAY)


def test_static_route(town: Town) -> None:
    with Netlink(town.second.namespace) as inside:
        inside.ensure_addresses("lo", {"192.168.77.1/32"})
    town.apply(msgspec.structs.replace(town.project.router, routes=(("192.168.77.0/24", "10.10.0.12"),)))
    assert town.other.pings("192.168.77.1")


def test_neighbours_learn_at_once_where_an_address_lives(town: Town) -> None:
    arp = 0x0806
    with entered(town.inet.namespace):
        heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(arp))
    with heard:
        heard.bind(("eth0", arp))
        heard.settimeout(2)
        late = FloatingIp(fresh_id(), "203.0.113.60", "10.10.0.12")
        floating = (*town.project.router.floating_ips, late)
        town.apply(msgspec.structs.replace(town.project.router, floating_ips=floating))
        operations = set[int]()
        while len(operations) < 2:
            frame = heard.recv(100)
            if frame[28:32] == frame[38:42] == socket.inet_aton("203.0.113.60"):
                operations.add(frame[21])
        assert operations == {1, 2}


def test_restarted_agent_touches_no_rule_and_breaks_no_connection(town: Town) -> None:
    handles = run_in(town.namespace, ["nft", "-a", "list", "ruleset"])
    with town.inet.listen(7000) as listening, town.second.connect(OUTSIDE_GATEWAY, 7000) as client:
        accepted, _ = listening.accept()
        with accepted:
            town.routers = Routers(town.project.settings)
            town.apply()
            client.sendall(b"still here")
            assert accepted.recv(20) == b"still here"
    assert run_in(town.namespace, ["nft", "-a", "list", "ruleset"]) == handles


def test_rules_and_addresses_that_were_lost_come_back(town: Town) -> None:
    run_in(town.namespace, ["nft", "flush", "ruleset"])
    with Netlink(town.namespace) as inside:
        inside.ensure_routes(set())
    town.apply()  # the only router is always the one whose turn it is
    assert town.source_seen(town.second, town.inet, OUTSIDE_GATEWAY) == ROUTER_OUTSIDE


def test_metadata_port_is_closed_to_direct_calls(town: Town) -> None:
    with entered(town.namespace):
        server = socket.socket()
    with server:
        server.bind(("", 9697))
        server.listen()
        town.first.connect("169.254.169.254", 80).close()
        for guest, address in ((town.first, "10.10.0.1"), (town.inet, ROUTER_OUTSIDE)):
            with pytest.raises(OSError):
                guest.connect(address, 9697, seconds=0.5)


def test_interface_that_goes_and_bad_router_beside_a_good_one(town: Town) -> None:
    good = msgspec.structs.replace(town.project.router, interfaces=town.project.router.interfaces[:1])
    stray = interface_of(network_of("10.66.0"), "10.66.0.1")
    bad = msgspec.structs.replace(good, id=fresh_id(), gateway=None, floating_ips=(), interfaces=(stray,))
    faults = town.routers.apply(town.project.snapshot(bad, good))
    assert set(faults) == {bad.id}
    assert "not known" in faults[bad.id]
    with Netlink(town.namespace) as inside:
        assert len([name for name in inside.links() if name.startswith("qr-")]) == 1


def test_fifty_unchanged_routers_cost_little(town: Town) -> None:
    pairs = [(network_of(f"10.{n}.0"), f"10.{n}.0.1") for n in range(100, 150)]
    for network, _ in pairs:
        bridge(network)
    routers = [Router(fresh_id(), True, (interface_of(network, address),), None, True) for network, address in pairs]
    snapshot = Snapshot("one", 1, tuple(network for network, _ in pairs), routers=tuple(routers))
    assert town.routers.apply(snapshot) == {}
    took = []
    for _ in range(3):
        begun = time.process_time()
        assert town.routers.apply(snapshot) == {}
        took.append(time.process_time() - begun)
    assert min(took) < 0.1
