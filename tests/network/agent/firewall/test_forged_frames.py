"""What a guest may not pretend to be: no forged frame reaches its neighbour, every honest one of the same kind does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import pytest
from tests.network.agent.firewall import frames
from tests.network.agent.l2.lab import Guest, namespace, new_id, port_of

from pileus.network.agent.firewall.rules import Firewall
from pileus.network.agent.firewall.sources import link_local
from pileus.network.agent.l2.bridges import Bridges
from pileus.network.agent.namespaces import entered
from pileus.network.agent.snapshot import AddressPair, HostNetwork, Network, Rule, SecurityGroup, Snapshot

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root"),
]

MALLORY, ALICE, OTHER = "fa:16:3e:00:00:0a", "fa:16:3e:00:00:0b", "fa:16:3e:00:00:0c"
MALLORY4, ALICE4, OTHER4 = "10.5.0.10", "10.5.0.11", "10.5.0.12"
MALLORY6, ALICE6, OTHER6 = "fd00:5::a", "fd00:5::b", "fd00:5::c"
MALLORY_LL = str(link_local(MALLORY).network_address)
MARK = b"pileus-forged-frame"
ALL_ROUTERS = "33:33:00:00:00:02"


@dataclass
class Pair:
    mallory: Guest
    alice: Guest


@contextmanager
def _pair(security: bool) -> Iterator[Pair]:
    network, group = new_id(), new_id()
    rules = tuple(Rule(direction, kind) for direction in ("ingress", "egress") for kind in ("IPv4", "IPv6"))
    mallory = port_of(network, MALLORY, MALLORY4, MALLORY6, groups=(group,), security=security)
    mallory = msgspec.structs.replace(mallory, address_pairs=(AddressPair(MALLORY, "10.5.1.0/24"),))
    alice = port_of(network, ALICE, ALICE4, ALICE6, groups=(group,), security=security)
    networks = (Network(network, "local", None, None, 1400, ()),)
    snapshot = Snapshot("h", 1, networks, (mallory, alice), (SecurityGroup(group, True, rules),))
    settings = HostNetwork("h", "/nonexistent", "127.0.0.1")
    with namespace("host") as host:
        with entered(host):
            firewall, bridges = Firewall(settings), Bridges(settings)
            firewall.start()
            assert firewall.apply(snapshot) == {}
            assert bridges.apply(snapshot) == {}
        with Guest(host, mallory) as one, Guest(host, alice) as two:
            ready = Pair(one, two)
            assert any(_passes(ready, HONEST["arp request"], 0.2) for _ in range(50)), "the bridge's ports come up"
            yield ready


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with _pair(True) as guarded:
        yield guarded


@pytest.fixture(scope="module")
def unguarded_pair() -> Iterator[Pair]:
    with _pair(False) as unguarded:
        yield unguarded


def _udp(source_mac: str, source: str, ports: tuple[int, int] = (5000, 5001)) -> bytes:
    make = frames.udp6 if ":" in source else frames.udp4
    return make((source_mac, ALICE), source, ALICE6 if ":" in source else ALICE4, ports, MARK)


HONEST = {
    "ipv4": [_udp(MALLORY, MALLORY4)],
    "ipv4 of an address pair": [_udp(MALLORY, "10.5.1.77")],
    "ipv6": [_udp(MALLORY, MALLORY6)],
    "ipv6 link-local": [_udp(MALLORY, MALLORY_LL)],
    "arp request": [frames.arp(MALLORY, MALLORY, MALLORY4, "10.5.0.99")],
    "arp reply": [frames.arp(MALLORY, MALLORY, MALLORY4, "10.5.0.98", operation=2, to=ALICE)],
    "arp probe": [frames.arp(MALLORY, MALLORY, "0.0.0.0", MALLORY4)],
    "neighbour advertisement": [frames.neighbour_advertisement(MALLORY, MALLORY6, MALLORY6)],
    "dhcp request": [frames.udp4((MALLORY, frames.BROADCAST), "0.0.0.0", "255.255.255.255", (68, 67), MARK)],
    "dhcpv6 request": [frames.udp6((MALLORY, "33:33:00:01:00:02"), MALLORY_LL, "ff02::1:2", (546, 547), MARK)],
    "rarp after a migration": [frames.ethernet(MALLORY, frames.BROADCAST, 0x8035, MARK)],
}

FORGED = {
    "mac": [_udp(OTHER, MALLORY4)],
    "ipv4": [_udp(MALLORY, OTHER4)],
    "ipv4 of the victim": [_udp(MALLORY, ALICE4)],
    "ipv4 beside an address pair": [_udp(MALLORY, "10.5.2.1")],
    "ipv4 unspecified": [_udp(MALLORY, "0.0.0.0")],
    "ipv4 multicast": [_udp(MALLORY, "224.0.0.5")],
    "ipv6": [_udp(MALLORY, OTHER6)],
    "ipv6 link-local": [_udp(MALLORY, str(link_local(OTHER).network_address))],
    "arp sender ip": [frames.arp(MALLORY, MALLORY, OTHER4, ALICE4)],
    "arp reply for another": [frames.arp(MALLORY, MALLORY, OTHER4, ALICE4, operation=2, to=ALICE)],
    "arp sender mac": [frames.arp(MALLORY, OTHER, MALLORY4, ALICE4)],
    "arp probe for another": [frames.arp(MALLORY, MALLORY, "0.0.0.0", ALICE4)],
    "ethernet mac of an arp": [frames.arp(OTHER, MALLORY, MALLORY4, ALICE4)],
    "neighbour advertisement": [frames.neighbour_advertisement(MALLORY, MALLORY6, OTHER6)],
    "neighbour advertisement, link-local": [frames.neighbour_advertisement(MALLORY, MALLORY_LL, OTHER6)],
    "router advertisement": [frames.router_advertisement(MALLORY, MALLORY_LL, MARK)],
    "router advertisement in fragments": frames.hidden_router_advertisement(MALLORY, MALLORY_LL, MARK),
    "dhcp offer": [_udp(MALLORY, MALLORY4, (67, 68))],
    "dhcp offer from an odd port": [_udp(MALLORY, MALLORY4, (6767, 68))],
    "dhcp offer, broadcast": [
        frames.udp4((MALLORY, frames.BROADCAST), MALLORY4, "255.255.255.255", (67, 68), MARK),
    ],
    "dhcpv6 advertise": [_udp(MALLORY, MALLORY_LL, (547, 546))],
    "vlan tag": [frames.ethernet(MALLORY, ALICE, 0x8100, b"\0\x01\x08\0" + _udp(MALLORY, MALLORY4)[14:])],
    "unknown ethertype": [frames.ethernet(MALLORY, ALICE, 0x88B5, MARK)],
}


def _passes(pair: Pair, sent: list[bytes], seconds: float) -> bool:
    pair.alice.heard.clear()
    for frame in sent:
        pair.mallory.inject(frame)
    # br_netfilter may put fragments together and take them apart anew: the source says whose frame it is.
    parts = [(frame[6:14], frame[14:][-len(MARK) :]) for frame in sent]
    return pair.alice.hears(
        lambda heard: heard in sent or any(heard[6:14] == head and tail in heard for head, tail in parts), seconds
    )


@pytest.mark.parametrize("kind", HONEST)
def test_honest_frames_pass(pair: Pair, kind: str) -> None:
    assert _passes(pair, HONEST[kind], 2.0)


@pytest.mark.parametrize("kind", FORGED)
def test_forged_frames_do_not_pass(pair: Pair, kind: str) -> None:
    assert not _passes(pair, FORGED[kind], 0.15)
    assert _passes(pair, HONEST["ipv4"], 2.0), "the way itself is open"


@pytest.mark.parametrize("kind", FORGED)
def test_port_security_off_lets_all_pass(unguarded_pair: Pair, kind: str) -> None:
    """Also shows that each forged frame is one that the bridge would carry, and that the test would see it."""
    assert _passes(unguarded_pair, FORGED[kind], 2.0)
