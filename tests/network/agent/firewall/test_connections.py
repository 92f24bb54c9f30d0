"""Security groups on live connections: real TCP and UDP between guests, a router and the host."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import msgspec
import pytest
from tests.network.agent.l2.lab import Guest, answers, listen, namespace, new_id, port_of

from pileus.network.agent.firewall.rules import Firewall
from pileus.network.agent.l2.bridges import Bridges
from pileus.network.agent.names import bridge_name
from pileus.network.agent.namespaces import entered, run_in
from pileus.network.agent.netlink import Netlink, Route
from pileus.network.agent.snapshot import HostNetwork, Network, Port, Rule, SecurityGroup, Snapshot

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root"),
]

EGRESS = (Rule("egress", "IPv4"), Rule("egress", "IPv6"))
SSH = Rule("ingress", "IPv4", "tcp", 22, 22, "0.0.0.0/0")


class Host:
    """A host whose wanted state is changed piece by piece, with a router port that nobody filters."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        self.name, self._stack = name, stack
        self.networks: dict[str, Network] = {}
        self.ports: dict[str, Port] = {}
        self.groups: dict[str, SecurityGroup] = {}
        settings = HostNetwork("h", "/nonexistent", "127.0.0.1")
        self.firewall, self.bridges = Firewall(settings), Bridges(settings)
        with entered(name):
            self.firewall.start()

    def snapshot(self) -> Snapshot:
        return Snapshot("h", 1, tuple(self.networks.values()), tuple(self.ports.values()), tuple(self.groups.values()))

    def apply(self) -> dict[str, str]:
        with entered(self.name):
            self.bridges.withdraw(self.snapshot())
            return self.firewall.apply(self.snapshot()) | self.bridges.apply(self.snapshot())

    def network(self) -> str:
        network_id = new_id()
        self.networks[network_id] = Network(network_id, "local", None, None, 1400, ())
        return network_id

    def group(self, *rules: Rule, stateful: bool = True, members: tuple[str, ...] = ()) -> str:
        group_id = new_id()
        self.set_rules(group_id, *rules, stateful=stateful, members=members)
        return group_id

    def set_rules(self, group_id: str, *rules: Rule, stateful: bool = True, members: tuple[str, ...] = ()) -> None:
        self.groups[group_id] = SecurityGroup(group_id, stateful, rules, members)

    def guest(self, port: Port) -> Guest:
        self.ports[port.id] = port
        assert self.apply() == {}
        return self._stack.enter_context(Guest(self.name, port))

    def router(self, network_id: str, cidr: str) -> str:
        """A namespace with a veth on the bridge, as a router's or a DHCP server's port is."""
        inside = self._stack.enter_context(namespace("rtr"))
        with Netlink(self.name) as netlink, Netlink(inside) as there:
            end = f"tap{new_id()[:11]}"
            netlink.ensure_veth(end, "qr-0", inside)
            netlink.set_master(end, bridge_name(network_id))
            netlink.set_up(end)
            there.ensure_addresses("qr-0", {cidr})
            there.set_up("qr-0")
        return inside


@pytest.fixture
def host() -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(stack.enter_context(namespace("host")), stack)


def _echo(server: socket.socket) -> None:
    def serve() -> None:
        with server, suppress(OSError):  # a connection that the test cuts off ends by its time limit
            peer, _ = server.accept()
            with peer:
                peer.settimeout(10)
                while data := peer.recv(100):
                    peer.sendall(data)

    threading.Thread(target=serve, daemon=True).start()


def _connect(where: str, address: str, port: int) -> socket.socket:
    with entered(where):
        client = socket.socket()
    client.settimeout(3)
    client.connect((address, port))
    return client


def _alive(client: socket.socket, seconds: float) -> bool:
    client.settimeout(seconds)
    try:
        client.sendall(b"ping")
        return client.recv(4) == b"ping"
    except TimeoutError:
        return False


def test_nothing_passes_unless_a_rule_says_so(host: Host) -> None:
    network = host.network()
    closed, opened = host.group(*EGRESS), host.group(*EGRESS, SSH)
    alice = host.guest(port_of(network, "fa:16:3e:00:01:01", "10.6.0.1", groups=(closed,)))
    bob = host.guest(port_of(network, "fa:16:3e:00:01:02", "10.6.0.2", groups=(closed, opened)))
    mute = host.guest(port_of(network, "fa:16:3e:00:01:03", "10.6.0.3"))
    router = host.router(network, "10.6.0.254/24")
    with listen(alice.namespace, 22), listen(bob.namespace, 22), listen(bob.namespace, 23), listen(router, 22):
        assert answers(alice.namespace, "10.6.0.2", 22), "guest to guest, by the second of two groups"
        assert answers(router, "10.6.0.2", 22), "router to guest"
        assert answers(bob.namespace, "10.6.0.254", 22), "guest to router, and the answer back"
        assert not answers(alice.namespace, "10.6.0.2", 23, 0.5)
        assert not answers(router, "10.6.0.1", 22, 0.5)
        assert not answers(mute.namespace, "10.6.0.254", 22, 0.5), "without a group there is no egress either"


def test_a_connection_lives_through_changes_and_dies_with_its_rule(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS, SSH)
    bob = host.guest(port_of(network, "fa:16:3e:00:02:02", "10.6.0.2", groups=(group,)))
    router = host.router(network, "10.6.0.254/24")
    server = listen(bob.namespace, 22)
    _echo(server)
    with _connect(router, "10.6.0.2", 22) as client:
        assert _alive(client, 2)
        host.set_rules(group, *EGRESS, SSH, Rule("ingress", "IPv4", "icmp"))
        assert host.apply() == {}
        assert _alive(client, 2), "another rule came"
        with entered(host.name):
            host.firewall = Firewall(HostNetwork("h", "/nonexistent", "127.0.0.1"))
            host.firewall.start()
        assert host.apply() == {}
        assert _alive(client, 2), "the agent was restarted and wrote all rules anew"
        host.set_rules(group, *EGRESS)
        start = time.monotonic()
        assert host.apply() == {}
        assert not _alive(client, 1), "its rule went"
        assert time.monotonic() - start < 2
        assert host.firewall.last_sweep.revoked == 1
        assert not answers(router, "10.6.0.2", 22, 0.3)
        host.set_rules(group, *EGRESS, SSH)
        host.apply()
        assert host.firewall.last_sweep.restored >= 1
        client.settimeout(8)
        assert client.recv(4) == b"ping", "the rule came back before the connection gave up"


def test_a_guest_can_not_revive_what_was_revoked(host: Host) -> None:
    """The guest's own packets, which its egress rules allow, must not open the way for the other side."""
    network = host.network()
    group = host.group(*EGRESS, Rule("ingress", "IPv4", "udp", 5353, 5353))
    bob = host.guest(port_of(network, "fa:16:3e:00:03:02", "10.6.0.2", groups=(group,)))
    router = host.router(network, "10.6.0.254/24")
    with entered(bob.namespace):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with entered(router):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server, client:
        server.bind(("10.6.0.2", 5353))
        client.bind(("10.6.0.254", 4000))
        server.settimeout(4)
        client.sendto(b"hello", ("10.6.0.2", 5353))
        assert server.recv(10) == b"hello"
        server.settimeout(0.5)
        host.set_rules(group, *EGRESS)
        host.apply()
        server.sendto(b"still here", ("10.6.0.254", 4000))
        client.sendto(b"me too", ("10.6.0.2", 5353))
        with pytest.raises(TimeoutError):
            server.recv(10)


def test_members_of_a_remote_group(host: Host) -> None:
    network = host.network()
    friends = host.group(*EGRESS)
    rule = Rule("ingress", "IPv4", "tcp", 80, 80, remote_group=friends)
    group = host.group(*EGRESS, rule)
    bob = host.guest(port_of(network, "fa:16:3e:00:04:02", "10.6.0.2", groups=(group,)))
    router = host.router(network, "10.6.0.254/24")
    with listen(bob.namespace, 80):
        assert not answers(router, "10.6.0.2", 80, 0.3)
        host.set_rules(friends, *EGRESS, members=("10.6.0.254", "10.7.0.0/16", "10.7.1.1", "fd00::1"))
        assert host.apply() == {}
        assert answers(router, "10.6.0.2", 80)
        host.set_rules(friends, *EGRESS, members=("10.7.0.0/24", "10.7.1.1"))
        assert host.apply() == {}
        assert not answers(router, "10.6.0.2", 80, 0.3)


def test_stateless_groups_let_no_answer_in(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS, stateful=False)
    bob = host.guest(port_of(network, "fa:16:3e:00:05:02", "10.6.0.2", groups=(group,)))
    router = host.router(network, "10.6.0.254/24")
    with listen(router, 80):
        assert not answers(bob.namespace, "10.6.0.254", 80, 0.5)
        host.set_rules(group, *EGRESS, Rule("ingress", "IPv4", "tcp", 1024, 65535), stateful=False)
        host.apply()
        assert answers(bob.namespace, "10.6.0.254", 80)


def test_networks_with_the_same_addresses_do_not_mix(host: Host) -> None:
    group = host.group(*EGRESS, SSH)
    pairs = []
    for number in (1, 2):
        network = host.network()
        guest = host.guest(port_of(network, f"fa:16:3e:00:06:0{number}", "10.6.0.2", groups=(group,)))
        pairs.append((guest, host.router(network, "10.6.0.254/24")))
    for guest, router in pairs:
        _echo(listen(guest.namespace, 22))
        with _connect(router, "10.6.0.2", 22) as client:
            assert _alive(client, 2)
    zones = {line.split("zone=")[1].split()[0] for line in _connections(host) if "dport=22" in line}
    assert len(zones) == 2


def _connections(host: Host) -> list[str]:
    return run_in(host.name, ["conntrack", "-L"]).splitlines()


def test_a_removed_port_leaves_nothing_to_its_successor(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS, SSH)
    first = port_of(network, "fa:16:3e:00:07:02", "10.6.0.2", groups=(group,))
    bob = host.guest(first)
    router = host.router(network, "10.6.0.254/24")
    _echo(listen(bob.namespace, 22))
    with _connect(router, "10.6.0.2", 22) as client:
        assert _alive(client, 2)
        assert any("dport=22" in line for line in _connections(host))
        del host.ports[first.id]
        host.apply()
        assert not any("dport=22" in line for line in _connections(host))
        with entered(host.name):
            assert host.firewall.leaks(host.snapshot()) == []
            assert host.bridges.leaks(host.snapshot()) == []


def test_admin_state_down_is_silence(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS, SSH)
    port = port_of(network, "fa:16:3e:00:08:02", "10.6.0.2", groups=(group,))
    bob = host.guest(port)
    router = host.router(network, "10.6.0.254/24")
    with listen(bob.namespace, 22):
        assert answers(router, "10.6.0.2", 22)
        host.ports[port.id] = msgspec.structs.replace(port, admin_state_up=False)
        host.apply()
        bob.heard.clear()
        assert not answers(router, "10.6.0.2", 22, 0.5)
        assert bob.heard == []
        host.ports[port.id] = port
        host.apply()
        assert answers(router, "10.6.0.2", 22)


def test_one_bad_item_does_not_stop_the_others(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS, SSH)
    bob = host.guest(port_of(network, "fa:16:3e:00:09:02", "10.6.0.2", groups=(group,)))
    router = host.router(network, "10.6.0.254/24")
    bad_port = port_of(network, "fa:16:3e:00:09:03", '10.6.0.3 } ; flush ruleset ; add {"', groups=(group,))
    host.ports[bad_port.id] = bad_port
    bad_group = host.group(Rule("ingress", "IPv4", "tcp", 1, 2, "10.0.0.0/8\n drop"), SSH)
    faults = host.apply()
    assert faults.keys() == {bad_port.id, bad_group}
    with listen(bob.namespace, 22):
        assert answers(router, "10.6.0.2", 22)


def test_rules_that_others_flushed_come_back(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS)
    bob = host.guest(port_of(network, "fa:16:3e:00:0a:02", "10.6.0.2", groups=(group,)))
    router = host.router(network, "10.6.0.254/24")
    with listen(bob.namespace, 22):
        run_in(host.name, ["nft", "flush", "ruleset"])
        assert answers(router, "10.6.0.2", 22)
        host.apply()
        assert not answers(router, "10.6.0.2", 22, 0.4)


def test_a_guest_does_not_reach_the_host_over_its_bridge(host: Host) -> None:
    network = host.network()
    group = host.group(*EGRESS)
    bob = host.guest(port_of(network, "fa:16:3e:00:0b:02", "10.6.0.2", groups=(group,)))
    with Netlink(host.name) as netlink:
        netlink.ensure_addresses("lo", {"127.0.0.1/8", "10.6.0.77/32"})
        bridge = netlink.links()[bridge_name(network)]
        netlink.ensure_routes({Route("10.6.0.0/24", None, bridge.name)})
    with listen(host.name, 22):
        assert answers(host.name, "10.6.0.77", 22)
        assert not answers(bob.namespace, "10.6.0.77", 22, 0.5), "nobody says where the address is"
        run_in(bob.namespace, ["ip", "neigh", "replace", "10.6.0.77", "lladdr", bridge.mac, "dev", "eth0"])
        assert not answers(bob.namespace, "10.6.0.77", 22, 0.5), "nor does it help to know"
