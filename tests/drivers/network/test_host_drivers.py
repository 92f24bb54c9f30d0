"""The contract of a HostDriver, asked of every mechanism that this machine can run."""

import ipaddress
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from tests.network.agent.l2.lab import namespace, new_id, own, port_of

from pileus.network.agent.namespaces import entered
from pileus.network.agent.snapshot import (
    Dhcp,
    DhcpHost,
    FixedIp,
    FloatingIp,
    HostNetwork,
    Network,
    PhysicalNetwork,
    Port,
    Router,
    RouterInterface,
    Rule,
    SecurityGroup,
    Snapshot,
    Subnet,
)
from pileus.network.drivers.base import HostDriver, HostDriverFactory
from pileus.network.drivers.fake import FakeDriver
from pileus.network.drivers.linuxbridge import LinuxBridgeDriver

DRIVERS: dict[str, HostDriverFactory] = {"fake": FakeDriver, "linuxbridge": LinuxBridgeDriver}
REAL = [pytest.mark.system, pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root")]


@dataclass
class Case:
    driver: HostDriver
    again: Callable[[], HostDriver]


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder that the user of dnsmasq may enter: pytest's own are closed to it."""
    with TemporaryDirectory(prefix="plt-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=["fake", pytest.param("linuxbridge", marks=REAL)])
def case(request: pytest.FixtureRequest, state: Path) -> Iterator[Case]:
    factory = DRIVERS[request.param]
    physical = {"public": PhysicalNetwork("br-ex", address="203.0.113.1/24")}
    settings = HostNetwork("h", str(state), "127.0.0.1", physical_networks=physical)

    def make() -> HostDriver:
        driver = factory(settings)
        driver.start()
        return driver

    if request.param == "fake":
        yield Case(make(), make)
        return
    with namespace("host") as host, entered(host):
        driver = make()
        yield Case(driver, make)
        driver.stop(remove=True)
        assert own(driver.leaks(Snapshot("h", 0))) == []


def _network(kind: str = "vxlan", number: int = 5) -> Network:
    subnet = Subnet(new_id(), f"10.{number}.0.0/24", 4, f"10.{number}.0.1", True)
    physical = "public" if kind == "flat" else None
    return Network(new_id(), kind, physical, number if kind == "vxlan" else None, 1400, (subnet,))


def _port(network: Network, number: int, *groups: str) -> Port:
    subnet = ipaddress.ip_network(network.subnets[0].cidr)
    return port_of(network.id, f"fa:16:3e:00:00:{number:02x}", str(subnet[number]), groups=groups)


def _snapshot(generation: int, networks: tuple[Network, ...], *ports: Port) -> Snapshot:
    group = SecurityGroup("cccccccc-0000-4000-8000-000000000000", True, (Rule("egress", "IPv4"),))
    return Snapshot("h", generation, networks, ports, (group,))


def test_an_empty_host_is_true_at_once(case: Case) -> None:
    report = case.driver.apply(Snapshot("h", 7))
    assert (report.host, report.generation, report.ports_up, report.faults) == ("h", 7, (), {})
    assert report.notes == ()


@pytest.mark.parametrize("kind", ["vxlan", "flat"])
def test_ports_come_up_and_go(case: Case, kind: str) -> None:
    network = _network(kind)
    one, two = _port(network, 10), _port(network, 11)
    both = _snapshot(1, (network,), one, two)
    for _ in range(2):
        report = case.driver.apply(both)
        assert report.faults == {}
        assert set(report.ports_up) == {one.id, two.id}
    assert own(case.driver.leaks(both)) == []
    less = _snapshot(2, (network,), two)
    assert own(case.driver.leaks(less)), "what is there and no longer wanted is told before it is removed"
    report = case.driver.apply(less)
    assert (report.generation, report.ports_up) == (2, (two.id,))
    assert own(case.driver.leaks(less)) == []
    assert case.driver.apply(Snapshot("h", 3)).ports_up == ()
    assert own(case.driver.leaks(Snapshot("h", 3))) == []


def test_a_port_that_is_administratively_down_is_not_up(case: Case) -> None:
    network = _network()
    port = msgspec.structs.replace(_port(network, 10), admin_state_up=False)
    assert case.driver.apply(_snapshot(1, (network,), port)).ports_up == ()


def test_one_bad_port_does_not_block_the_others(case: Case) -> None:
    network = _network()
    good, lost = _port(network, 10), _port(_network(), 11)
    odd = msgspec.structs.replace(_port(network, 12), id="../../etc/passwd")
    report = case.driver.apply(_snapshot(1, (network,), lost, odd, good))
    assert report.ports_up == (good.id,)
    assert report.faults.keys() == {lost.id, odd.id}
    assert all(report.faults.values())


def test_a_restarted_driver_finds_what_stands(case: Case) -> None:
    network = _network()
    kept, gone = _port(network, 10), _port(network, 11)
    case.driver.apply(_snapshot(1, (network,), kept, gone))
    case.driver.stop(remove=False)
    driver = case.again()
    try:
        wanted = _snapshot(2, (network,), kept)
        assert driver.apply(wanted).ports_up == (kept.id,)
        assert own(driver.leaks(wanted)) == []
    finally:
        driver.stop(remove=False)


def test_tap_names_fit_the_kernel(case: Case) -> None:
    name = case.driver.tap_name("01234567-89ab-4def-8123-456789abcdef")
    assert name == "tap01234567-89"
    assert len(name) <= 15


def test_stop_with_remove_leaves_nothing(case: Case) -> None:
    network = _network()
    case.driver.apply(_snapshot(1, (network,), _port(network, 10)))
    case.driver.stop(remove=True)
    assert own(case.driver.leaks(Snapshot("h", 0))) == []


def test_services_come_and_go_with_their_networks(case: Case) -> None:
    """DHCP, a router with a floating address, and a server, all at once and all gone."""
    inside, outside = _network(), _network("flat", 6)
    server = _port(inside, 10)
    dhcp_ip, router_ip, gateway_ip = (
        FixedIp(network.subnets[0].id, f"10.{number}.0.{last}")
        for network, number, last in ((inside, 5, 2), (inside, 5, 1), (outside, 6, 9))
    )
    host = DhcpHost(server.id, server.mac, (FixedIp(inside.subnets[0].id, "10.5.0.10"),), "host-10-5-0-10")
    dhcp = Dhcp(new_id(), "fa:16:3e:00:02:01", (dhcp_ip,), (host,))
    router = Router(
        new_id(),
        True,
        (RouterInterface(new_id(), inside.id, "fa:16:3e:00:02:02", (router_ip,)),),
        RouterInterface(new_id(), outside.id, "fa:16:3e:00:02:03", (gateway_ip,)),
        True,
        (FloatingIp(new_id(), "10.6.0.20", "10.5.0.10"),),
    )
    served = msgspec.structs.replace(inside, dhcp=dhcp)
    wanted = msgspec.structs.replace(_snapshot(1, (served, outside), server), routers=(router,))
    for _ in range(2):
        report = case.driver.apply(wanted)
        assert (report.faults, report.notes, report.ports_up) == ({}, (), (server.id,))
        assert own(case.driver.leaks(wanted)) == []
    assert case.driver.apply(Snapshot("h", 2)).faults == {}
    assert own(case.driver.leaks(Snapshot("h", 2))) == []
