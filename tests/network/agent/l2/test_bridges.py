"""Bridges, tunnels and patches with real devices and real frames between namespaces."""

import os
import socket
import time
from collections.abc import Iterator

import msgspec
import pytest
from tests.network.agent.l2.lab import Guest, answers, listen, namespace, new_id, port_of

from pileus.network.agent.firewall.rules import Firewall
from pileus.network.agent.l2.bridges import Bridges, bridge_of
from pileus.network.agent.names import bridge_name, tap_name, vxlan_name
from pileus.network.agent.namespaces import entered, read_sysctl
from pileus.network.agent.netlink import Netlink
from pileus.network.agent.snapshot import HostNetwork, Network, PhysicalNetwork, Rule, SecurityGroup, Snapshot

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root"),
]


@pytest.fixture
def host() -> Iterator[str]:
    with namespace("host") as name:
        yield name


def _settings(tunnel_ip: str = "127.0.0.1", **physical: PhysicalNetwork) -> HostNetwork:
    return HostNetwork("h", "/nonexistent", tunnel_ip, physical_networks=physical)


def test_devices_are_as_wanted_and_quiet(host: str) -> None:
    network = Network(new_id(), "vxlan", None, 77, 1450, (), peers=("10.9.0.2", "10.9.0.3", "10.9.0.1"))
    port = port_of(network.id, "fa:16:3e:00:00:01", "10.0.0.1")
    settings = _settings("10.9.0.1")
    with entered(host), Netlink() as netlink:
        bridges = Bridges(settings)
        bridges.start()
        assert bridges.apply(Snapshot("h", 1, (network,), (port,))) == {}
        links = netlink.links()
        bridge, tap, tunnel = links[bridge_of(network, settings)], links[tap_name(port.id)], links[vxlan_name(77)]
        assert tap.master == tunnel.master == bridge.ifindex
        assert tap.up and tunnel.up and bridge.up
        assert tap.mtu == tunnel.mtu == bridge.mtu == 1450
        assert netlink.flood("vxlan-77") == {"10.9.0.2", "10.9.0.3"}
        for name in (bridge.name, tap.name, tunnel.name):
            assert read_sysctl(None, f"net/ipv6/conf/{name}/disable_ipv6") == "1"
            assert netlink.addresses(name) == set()
        moved = msgspec.structs.replace(network, peers=("10.9.0.4",), mtu=1400)
        assert bridges.apply(Snapshot("h", 2, (moved,), (port,))) == {}
        assert netlink.flood("vxlan-77") == {"10.9.0.4"}
        assert netlink.links()[tap.name].mtu == 1400
        assert netlink.links()[tap.name].ifindex == tap.ifindex, "changed in place"


def test_the_mac_address_of_a_bridge_does_not_move(host: str) -> None:
    """Neighbours of the host's own address would lose it for as long as they remember the former one."""
    with entered(host), Netlink() as netlink:
        before = netlink.ensure_bridge("br-ex").mac
        for number in range(4):
            netlink.ensure_tap(f"t{number}")
            netlink.set_mac(f"t{number}", f"02:00:00:00:00:0{number}")
            netlink.set_master(f"t{number}", "br-ex")
        assert netlink.links()["br-ex"].mac == before


def test_what_is_broken_or_left_over_is_put_right(host: str) -> None:
    network = Network(new_id(), "local", None, None, 1450, ())
    kept, gone = (port_of(network.id, "fa:16:3e:00:00:01", f"10.0.0.{number}") for number in (1, 2))
    with entered(host), Netlink() as netlink:
        bridges = Bridges(_settings())
        bridges.apply(Snapshot("h", 1, (network,), (kept, gone)))
        smaller = Snapshot("h", 2, (network,), (kept,))
        assert bridges.leaks(smaller) == [tap_name(gone.id)]
        netlink.set_up(tap_name(kept.id), False)
        netlink.set_master(tap_name(kept.id), None)
        netlink.delete(bridge_name(network.id))
        bridges.withdraw(smaller)
        assert bridges.apply(smaller) == {}
        links = netlink.links()
        assert links[tap_name(kept.id)].up
        assert links[tap_name(kept.id)].master == links[bridge_name(network.id)].ifindex
        assert bridges.leaks(smaller) == []
        bridges.stop(remove=False)
        assert tap_name(kept.id) in netlink.links()
        Bridges(_settings()).stop(remove=True)
        assert netlink.links().keys() == {"lo"}


def test_what_is_not_ours_stays(host: str) -> None:
    with entered(host), Netlink() as netlink:
        netlink.ensure_bridge("br-operator")
        netlink.ensure_vxlan("vxlan-5", 5, "127.0.0.1", 4789)
        netlink.ensure_tap("tap0")
        netlink.ensure_veth("tap01234567-89", "peer0")
        bridges = Bridges(_settings(physnet=PhysicalNetwork("br-operator")))
        bridges.start()
        bridges.withdraw(Snapshot("h", 1))
        bridges.stop(remove=True)
        assert netlink.links().keys() == {"lo", "br-operator", "vxlan-5", "tap0", "tap01234567-89", "peer0"}


def test_one_bad_network_is_a_fault_of_its_own(host: str) -> None:
    good = Network(new_id(), "local", None, None, 1450, ())
    lost, odd = Network(new_id(), "flat", "nowhere", None, 1450, ()), Network(new_id(), "vlan", "p", 5, 1450, ())
    ports = [port_of(network.id, "fa:16:3e:00:00:01", "10.0.0.1") for network in (good, lost, odd)]
    with entered(host):
        faults = Bridges(_settings()).apply(Snapshot("h", 1, (lost, odd, good), tuple(ports)))
    assert faults.keys() == {lost.id, odd.id, ports[1].id, ports[2].id}
    assert "nowhere" in faults[lost.id]
    assert "vlan" in faults[odd.id]


def test_two_hosts_share_a_vxlan_network() -> None:
    network_id = new_id()
    with namespace("h1") as one, namespace("h2") as two:
        with Netlink(one) as left, Netlink(two) as right:
            left.ensure_veth("under0", "under0", two)
            for netlink, address in ((left, "10.9.0.1/24"), (right, "10.9.0.2/24")):
                netlink.set_up("under0")
                netlink.ensure_addresses("under0", {address})
        guests = []
        for number, host in ((1, one), (2, two)):
            network = Network(network_id, "vxlan", None, 99, 1400, (), peers=(f"10.9.0.{3 - number}",))
            port = port_of(network_id, f"fa:16:3e:00:0c:0{number}", f"10.8.0.{number}", security=False)
            with entered(host):
                assert Bridges(_settings(f"10.9.0.{number}")).apply(Snapshot(host, 1, (network,), (port,))) == {}
            guests.append(Guest(host, port))
        try:
            with listen(guests[0].namespace, 80):
                assert answers(guests[1].namespace, "10.8.0.1", 80, 3)
            big = bytes(1300)
            with entered(guests[0].namespace):
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with sender:
                sender.sendto(big, ("10.8.0.2", 5000))
                assert guests[1].hears(lambda frame: big in frame)
        finally:
            for guest in guests:
                guest.close()


def test_flat_network_reaches_the_host_and_its_guests_are_guarded() -> None:
    """The host's own packets come to the guest over a cable between two bridges, so the rules see them too."""
    group = new_id()
    ssh = Rule("ingress", "IPv4", "tcp", 22, 22)
    groups = (SecurityGroup(group, True, (Rule("egress", "IPv4"), ssh)),)
    with namespace("host") as host, namespace("world") as world, namespace("far") as far:
        with Netlink(host) as netlink, Netlink(world) as outside, Netlink(far) as beyond:
            netlink.ensure_veth("eth9", "eth0", world)
            outside.ensure_addresses("eth0", {"203.0.113.200/24"})
            outside.set_up("eth0")
            netlink.ensure_veth("up0", "eth0", far)
            for end, address in ((netlink, "198.51.100.1/24"), (beyond, "198.51.100.2/24")):
                name = "up0" if end is netlink else "eth0"
                end.set_up(name)
                end.ensure_addresses(name, {address})
        physical = PhysicalNetwork("br-ex", interface="eth9", address="203.0.113.1/24", masquerade=True)
        settings = _settings(public=physical)
        network = Network(new_id(), "flat", "public", None, 1400, ())
        port = port_of(network.id, "fa:16:3e:00:0d:01", "203.0.113.5", groups=(group,))
        snapshot = Snapshot("h", 1, (network,), (port,), groups)
        with entered(host):
            bridges, firewall = Bridges(settings), Firewall(settings)
            firewall.start()
            bridges.start()
            assert firewall.apply(snapshot) == {}
            assert bridges.apply(snapshot) == {}
        with Guest(host, port, gateway="203.0.113.1") as guest:
            with listen(guest.namespace, 22), listen(guest.namespace, 23):
                for place in (host, world):
                    assert answers(place, "203.0.113.5", 22)
                    assert not answers(place, "203.0.113.5", 23, 0.4)
            with listen(host, 80), listen(world, 80), listen(far, 80) as server:
                assert answers(guest.namespace, "203.0.113.1", 80), "the host's own address on its physical bridge"
                assert answers(guest.namespace, "203.0.113.200", 80), "behind the real interface"
                assert answers(guest.namespace, "198.51.100.2", 80), "beyond the host"
                connection, peer = server.accept()
                connection.close()
                assert peer[0] == "198.51.100.1", "with the host's address"
        with entered(host), Netlink() as netlink:
            bridges.stop(remove=True)
            firewall.stop(remove=True)
            assert netlink.links().keys() == {"lo", "eth9", "up0"}


def test_a_thousand_unchanged_ports_cost_little(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    network = Network(new_id(), "local", None, None, 1450, ())
    group = new_id()
    groups = (SecurityGroup(group, True, (Rule("egress", "IPv4"), Rule("ingress", "IPv4", remote_group=group))),)
    figures = {}
    with entered(host):
        bridges, firewall = Bridges(_settings()), Firewall(_settings())
        firewall.start()
        for count in (100, 1000):
            ports = tuple(
                port_of(
                    network.id, f"fa:16:3e:01:{n >> 8:02x}:{n & 255:02x}", f"10.1.{n >> 8}.{n & 255}", groups=(group,)
                )
                for n in range(count)
            )
            snapshot = Snapshot("h", count, (network,), ports, groups)
            times = []
            for _ in range(8):
                # As it comes over the wire: equal, not the same.
                snapshot = msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)
                start = time.process_time()
                bridges.withdraw(snapshot)
                assert firewall.apply(snapshot) == {}
                assert bridges.apply(snapshot) == {}
                times.append(time.process_time() - start)
            figures[count] = times[0], min(times[1:])
    with capsys.disabled():
        for count, (first, again) in figures.items():
            print(f"\n{count} ports: all new {first * 1000:.0f} ms of CPU, unchanged {again * 1000:.1f} ms", end="")
    assert figures[1000][1] < 0.1
