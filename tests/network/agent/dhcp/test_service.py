"""Leases from a real dnsmasq to a real client, and what becomes of both in bad hours."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.network.agent.l3.ground import Guest, bridge, fresh_id

from pileus.network.agent.dhcp.service import DhcpService
from pileus.network.agent.namespaces import ProgramFailed, entered, namespaces, run_in
from pileus.network.agent.snapshot import Dhcp, DhcpHost, DhcpOption, FixedIp, HostNetwork, Network, Snapshot, Subnet

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("machine")]

MAC = "fa:16:3e:00:00:{:02x}"


def network_of(prefix: str = "10.10.0", hosts: int = 2) -> Network:
    subnet = Subnet(
        id=fresh_id(),
        cidr=f"{prefix}.0/24",
        ip_version=4,
        gateway_ip=f"{prefix}.1",
        enable_dhcp=True,
        host_routes=(("172.30.0.0/16", f"{prefix}.9"),),
    )
    dhcp = Dhcp(
        port_id=fresh_id(),
        mac=MAC.format(2),
        fixed_ips=(FixedIp(subnet.id, f"{prefix}.2"),),
        hosts=tuple(
            DhcpHost(fresh_id(), MAC.format(n), (FixedIp(subnet.id, f"{prefix}.{n}"),), f"vm{n}")
            for n in range(10, 10 + hosts)
        ),
        metadata_via={subnet.id: f"{prefix}.1"},
    )
    return Network(fresh_id(), "vxlan", None, 7, 1450, (subnet,), dhcp=dhcp)


def with_hosts(network: Network, *hosts: DhcpHost) -> Network:
    assert network.dhcp is not None
    return msgspec.structs.replace(network, dhcp=msgspec.structs.replace(network.dhcp, hosts=hosts))


def hosts_of(network: Network) -> tuple[DhcpHost, ...]:
    assert network.dhcp is not None
    return network.dhcp.hosts


class Site:
    """One service and one network on it."""

    def __init__(self, state: Path) -> None:
        self.settings = HostNetwork(host="one", state=str(state), tunnel_ip="127.0.0.1")
        self.state = state
        self.service = DhcpService(self.settings)
        self.service.start()
        self.network = network_of()
        bridge(self.network)
        self.generation = 0

    def apply(self, *networks: Network) -> dict[str, str]:
        self.generation += 1
        return self.service.apply(Snapshot("one", self.generation, networks))

    def pid(self, network: Network | None = None) -> int:
        return int((self.state / "dhcp" / (network or self.network).id / "pid").read_text())


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    state = tmp_path_factory.mktemp("state")
    for folder in (state, *state.parents):
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return Site(state)


@pytest.fixture(autouse=True)
def nothing_left(site: Site) -> Iterator[None]:
    yield
    site.service.stop(remove=True)
    assert site.service.leaks(Snapshot("one", 0)) == []
    assert not [name for name in namespaces() if name.startswith("qdhcp-")]
    assert not (site.state / "dhcp").exists()


def test_first_discover_is_answered_at_once_with_all_options(site: Site, tmp_path: Path) -> None:
    assert site.apply(site.network) == {}
    guest = Guest(site.network, MAC.format(10))
    begun = time.monotonic()
    lease = guest.lease(tmp_path)
    assert time.monotonic() - begun < 1
    assert lease["ip"] == "10.10.0.10"
    assert lease["router"] == "10.10.0.1"
    assert lease["dns"] == "10.10.0.2"
    assert lease["mtu"] == "1450"
    assert lease["hostname"] == "vm10"
    assert lease["domain"] == "openstacklocal"
    assert lease["staticroutes"] == "169.254.169.254/32 10.10.0.1 172.30.0.0/16 10.10.0.9 0.0.0.0/0 10.10.0.1"


def test_daemon_is_unprivileged(site: Site) -> None:
    site.apply(site.network)
    status = Path("/proc", str(site.pid()), "status").read_text()
    assert "Uid:\t0" not in status


def test_names_resolve(site: Site) -> None:
    site.apply(site.network)
    guest = Guest(site.network, MAC.format(10))
    guest.configure("10.10.0.10/24")
    assert "10.10.0.11" in run_in(guest.namespace, ["busybox", "nslookup", "vm11.openstacklocal", "10.10.0.2"])


def test_stranger_gets_nothing(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    with pytest.raises(ProgramFailed):
        Guest(site.network, MAC.format(99)).lease(tmp_path, seconds=1)


def test_new_host_needs_no_restart(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    pid = site.pid()
    first = Guest(site.network, MAC.format(10))
    first.lease(tmp_path)
    (subnet,) = site.network.subnets
    late = DhcpHost(fresh_id(), MAC.format(50), (FixedIp(subnet.id, "10.10.0.50"),), "late")
    site.apply(with_hosts(site.network, *hosts_of(site.network), late))
    assert Guest(site.network, MAC.format(50)).lease(tmp_path)["ip"] == "10.10.0.50"
    assert site.pid() == pid
    assert first.lease(tmp_path)["ip"] == "10.10.0.10"


def test_address_that_changes_hands_is_leased_to_the_new_owner(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    assert Guest(site.network, MAC.format(10)).lease(tmp_path)["ip"] == "10.10.0.10"
    (subnet,) = site.network.subnets
    heir = DhcpHost(fresh_id(), MAC.format(77), (FixedIp(subnet.id, "10.10.0.10"),), "heir")
    site.apply(with_hosts(site.network, heir))
    assert Guest(site.network, MAC.format(77)).lease(tmp_path)["ip"] == "10.10.0.10"


def test_extra_option_reaches_its_port_only_and_wins_over_the_subnet(site: Site, tmp_path: Path) -> None:
    first, second = hosts_of(site.network)
    options = (DhcpOption("bootfile-name", "pxelinux.0"), DhcpOption("dns-server", "9.9.9.9"))
    network = with_hosts(site.network, msgspec.structs.replace(first, extra_options=options), second)
    assert site.apply(network) == {}
    one = Guest(network, MAC.format(10)).lease(tmp_path, options=("bootfile",))
    two = Guest(network, MAC.format(11)).lease(tmp_path, options=("bootfile",))
    assert (one.get("boot_file") or one.get("bootfile"), one["dns"]) == ("pxelinux.0", "9.9.9.9")
    assert ("boot_file" in two or "bootfile" in two, two["dns"]) == (False, "10.10.0.2")


@pytest.mark.parametrize("value", ["x\ndhcp-script=/bin/sh", "$(reboot)", "a,b", "\0", "`id`", "a;b"])
def test_bad_values_of_one_host_leave_the_others_served(site: Site, tmp_path: Path, value: str) -> None:
    first, second = hosts_of(site.network)
    bad = msgspec.structs.replace(first, hostname=value, extra_options=(DhcpOption("bootfile-name", value),))
    network = with_hosts(site.network, bad, second)
    assert set(site.apply(network)) == {first.port_id}
    assert Guest(network, MAC.format(11)).lease(tmp_path)["ip"] == "10.10.0.11"


def test_killed_daemon_is_back_after_check_and_after_apply(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    for revive in (site.service.check, lambda: site.apply(site.network)):
        pid = site.pid()
        os.kill(pid, signal.SIGKILL)
        _await_end(pid)
        revive()
        assert site.pid() != pid
        assert Guest(site.network, MAC.format(10)).lease(tmp_path)["ip"] == "10.10.0.10"


def test_restarted_agent_finds_what_it_made_and_touches_nothing(site: Site) -> None:
    site.apply(site.network)
    pid, folder = site.pid(), site.state / "dhcp" / site.network.id
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    site.service = DhcpService(site.settings)
    site.service.start()
    assert site.apply(site.network) == {}
    assert site.pid() == pid
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_agent_that_died_before_it_told_the_daemon_tells_it_next_time(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    folder = site.state / "dhcp" / site.network.id
    (subnet,) = site.network.subnets
    late = DhcpHost(fresh_id(), MAC.format(50), (FixedIp(subnet.id, "10.10.0.50"),), "late")
    network = with_hosts(site.network, late)
    (folder / "host").write_text(f"{MAC.format(50)},10.10.0.50,late\n")  # written, but no SIGHUP
    site.service = DhcpService(site.settings)
    site.service.start()
    site.apply(network)
    assert Guest(network, MAC.format(50)).lease(tmp_path)["ip"] == "10.10.0.50"


def test_pid_that_is_another_programs_by_now_is_let_live(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    pid = site.pid()
    os.kill(pid, signal.SIGKILL)
    _await_end(pid)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (site.state / "dhcp" / site.network.id / "pid").write_text(f"{bystander.pid}\n")
        site.apply(site.network)
        assert Guest(site.network, MAC.format(10)).lease(tmp_path)["ip"] == "10.10.0.10"
        assert bystander.poll() is None
        bystander.kill()


def test_ipv6_host_gets_its_address_and_loses_it_to_its_heir(site: Site) -> None:
    (subnet,) = site.network.subnets
    six = Subnet(fresh_id(), "fd00:10::/64", 6, "fd00:10::1", True, ipv6_address_mode="dhcpv6-stateful")
    first, _ = hosts_of(site.network)
    host = msgspec.structs.replace(first, fixed_ips=(*first.fixed_ips, FixedIp(six.id, "fd00:10::a")))
    network = with_hosts(msgspec.structs.replace(site.network, subnets=(subnet, six)), host)
    assert network.dhcp is not None
    own = (*network.dhcp.fixed_ips, FixedIp(six.id, "fd00:10::2"))
    network = msgspec.structs.replace(network, dhcp=msgspec.structs.replace(network.dhcp, fixed_ips=own))
    assert site.apply(network) == {}
    assert _is_given(Guest(network, MAC.format(10)), MAC.format(10), "fd00:10::a")
    file = site.state / "dhcp" / network.id / "leases"
    for _ in range(100):  # dnsmasq writes it down after it has answered
        if "fd00:10::a" in file.read_text():
            break
        time.sleep(0.02)
    heir = DhcpHost(fresh_id(), MAC.format(77), (FixedIp(six.id, "fd00:10::a"),), "heir")
    site.apply(with_hosts(network, heir))
    assert "fd00:10::a" not in file.read_text()  # free for the heir
    assert Path("/proc", str(site.pid())).exists()


def test_changed_mtu_restarts_the_daemon(site: Site, tmp_path: Path) -> None:
    site.apply(site.network)
    network = msgspec.structs.replace(site.network, mtu=1400)
    site.apply(network)
    assert Guest(network, MAC.format(10)).lease(tmp_path)["mtu"] == "1400"


def test_network_that_goes_takes_all_with_it(site: Site) -> None:
    site.apply(site.network)
    pid = site.pid()
    assert site.service.leaks(Snapshot("one", 0)) != []
    site.apply()
    _await_end(pid)
    assert site.service.leaks(Snapshot("one", 0)) == []


def test_network_without_bridge_is_a_fault_of_its_own(site: Site, tmp_path: Path) -> None:
    missing = network_of("10.99.0")
    faults = site.apply(missing, site.network)
    assert set(faults) == {missing.id}
    assert "bridge" in faults[missing.id]
    assert Guest(site.network, MAC.format(10)).lease(tmp_path)["ip"] == "10.10.0.10"


def test_fifty_unchanged_networks_cost_little(site: Site) -> None:
    networks = [network_of(f"10.{n}.0") for n in range(50)]
    for network in networks:
        bridge(network)
    assert site.apply(*networks) == {}
    pids = [site.pid(network) for network in networks]
    took = []
    for _ in range(3):
        begun = time.process_time()
        assert site.apply(*networks) == {}
        took.append(time.process_time() - begun)
    assert min(took) < 0.1  # of processor time: other work on the machine does not count
    assert [site.pid(network) for network in networks] == pids


def _is_given(guest: Guest, mac: str, address: str) -> bool:
    """Whether a DHCPv6 SOLICIT with rapid commit (RFC 8415) is answered with the address, in a few tries as clients make."""
    duid = struct.pack(">HH", 3, 1) + bytes.fromhex(mac.replace(":", ""))
    options = struct.pack(">HH", 1, len(duid)) + duid + struct.pack(">HHHHH", 8, 2, 0, 14, 0)
    options += struct.pack(">HHIII", 3, 12, 1, 0, 0)
    with entered(guest.namespace):
        client, index = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), socket.if_nametoindex("eth0")
    with client:
        client.bind(("::", 546))
        client.settimeout(1)
        for _ in range(20):  # the link-local addresses may still be tentative
            with contextlib.suppress(OSError):
                client.sendto(bytes([1, 0, 0, 7]) + options, ("ff02::1:2", 547, 0, index))
                if socket.inet_pton(socket.AF_INET6, address) in client.recv(2000):
                    return True
            time.sleep(0.3)
    return False


def _await_end(pid: int) -> None:
    for _ in range(200):
        try:
            if not Path("/proc", str(pid), "cmdline").read_bytes():
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} lives on")
