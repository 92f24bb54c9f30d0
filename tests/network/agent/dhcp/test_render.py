"""What dnsmasq is told, line by line, and that no value can say more than it should."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.network.agent.dhcp import leases, options, values
from pileus.network.agent.dhcp.render import Rendering, render
from pileus.network.agent.snapshot import Dhcp, DhcpHost, DhcpOption, FixedIp, Network, Subnet

SUBNET = Subnet("a" * 36, "10.0.0.0/24", 4, "10.0.0.1", True)
SIX = Subnet("b" * 36, "fd00::/64", 6, "fd00::1", True, ipv6_address_mode="dhcpv6-stateful")
HOST = DhcpHost("c" * 36, "FA:16:3E:00:00:05", (FixedIp(SUBNET.id, "10.0.0.5"),), "web")
DHCP = Dhcp("d" * 36, "fa:16:3e:00:00:02", (FixedIp(SUBNET.id, "10.0.0.2"),), (HOST,))
NETWORK = Network("e" * 36, "vxlan", None, 1, 1450, (SUBNET,), dhcp=DHCP)

# What a tenant may hope to smuggle in, and everything else.
HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="a1.-:,;\n\r\0\t\"'`$(){}[]#=|<>\\ ", max_size=40),
    st.sampled_from(["x\ndhcp-script=/bin/sh", "a,set:known", "$(id)", "10.0.0.9\n", "option:router", "", "\x85", "é"]),
)


def rendered(network: Network = NETWORK, dhcp: Dhcp = DHCP) -> Rendering:
    return render(network, dhcp, Path("/state/dhcp/n"), "ns-1", "nobody")


def subnet(**changes: object) -> Network:
    return msgspec.structs.replace(NETWORK, subnets=(msgspec.structs.replace(SUBNET, **changes),))


def lines(network: Network = NETWORK, dhcp: Dhcp = DHCP, name: str = "opts") -> list[str]:
    return rendered(network, dhcp).files[name].splitlines()


TAG = f"tag:subnet-{SUBNET.id}"


def test_host_and_name() -> None:
    assert lines(name="host") == ["fa:16:3e:00:00:05,10.0.0.5,web"]
    assert lines(name="addn_hosts") == ["10.0.0.5 web.openstacklocal web"]


def test_plain_subnet_has_router_and_the_server_itself_as_dns() -> None:
    assert lines() == [f"{TAG},option:dns-server,10.0.0.2", f"{TAG},option:router,10.0.0.1"]


def test_subnet_without_gateway_suppresses_the_router() -> None:
    assert f"{TAG},option:router" in lines(subnet(gateway_ip=None))


def test_metadata_route_brings_the_default_route_along() -> None:
    dhcp = msgspec.structs.replace(DHCP, metadata_via={SUBNET.id: "10.0.0.2"})
    pairs = "169.254.169.254/32,10.0.0.2,0.0.0.0/0,10.0.0.1"
    assert lines(NETWORK, dhcp)[-2:] == [f"{TAG},option:classless-static-route,{pairs}", f"{TAG},249,{pairs}"]


def test_default_route_of_the_subnet_wins_over_its_gateway() -> None:
    network = subnet(host_routes=(("0.0.0.0/0", "10.0.0.9"),))
    assert f"{TAG},option:classless-static-route,0.0.0.0/0,10.0.0.9" in lines(network)


def test_given_dns_servers_replace_our_own() -> None:
    network = subnet(dns_nameservers=("8.8.8.8", "9.9.9.9"))
    assert f"{TAG},option:dns-server,8.8.8.8,9.9.9.9" in lines(network)


def test_ranges_are_static_and_follow_the_subnets() -> None:
    both = msgspec.structs.replace(NETWORK, subnets=(SUBNET, SIX))
    ranges = [word for word in rendered(both).arguments if word.startswith("--dhcp-range=")]
    assert ranges == [
        f"--dhcp-range=set:subnet-{SUBNET.id},10.0.0.0,static,255.255.255.0,86400s",
        f"--dhcp-range=set:subnet-{SIX.id},fd00::,static,64,86400s",
    ]


@pytest.mark.parametrize(
    "changes", [{"enable_dhcp": False}, {"ip_version": 6, "cidr": "fd00::/64", "ipv6_address_mode": "slaac"}]
)
def test_subnet_that_asks_for_no_dhcp_is_not_served(changes: dict[str, object]) -> None:
    found = rendered(subnet(**changes))
    assert (found.ranges, found.files["host"]) == (False, "")


def test_ipv6_host_is_bracketed() -> None:
    both = msgspec.structs.replace(NETWORK, subnets=(SUBNET, SIX))
    host = msgspec.structs.replace(HOST, fixed_ips=(*HOST.fixed_ips, FixedIp(SIX.id, "fd00::5")))
    dhcp = msgspec.structs.replace(DHCP, hosts=(host,))
    assert "fa:16:3e:00:00:05,[fd00::5],web" in lines(both, dhcp, "host")


def test_extra_option_is_tagged_by_the_command_line() -> None:
    host = msgspec.structs.replace(HOST, extra_options=(DhcpOption("tftp-server", "10.0.0.7"), DhcpOption("150", "x")))
    found = rendered(NETWORK, msgspec.structs.replace(DHCP, hosts=(host,)))
    assert f"--dhcp-mac=set:port-{HOST.port_id},fa:16:3e:00:00:05" in found.arguments
    assert "set:" not in found.files["host"]
    assert found.files["opts"].splitlines()[:2] == [
        f"tag:port-{HOST.port_id},option:tftp-server,10.0.0.7",
        f"tag:port-{HOST.port_id},150,x",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dns-server", "hello"),
        ("router", "10.0.0.1,fe80::1"),
        ("mtu", "-1"),
        ("mtu", "99999999999"),
        ("classless-static-route", "10.0.0.0/8"),
        ("bootfile-name", "a,b"),
        ("bootfile-name", "$(id)"),
        ("bootfile-name", ""),
        ("vendor:MSFT", "1"),
        ("53", "1"),
        ("0", "1"),
        ("255", "1"),
        ("tag:other,3", "1"),
        ("٣", "1"),
    ],
)
def test_option_that_is_refused(name: str, value: str) -> None:
    with pytest.raises(values.UnsafeValueError):
        options.line("t", DhcpOption(name, value))


@pytest.mark.parametrize(
    ("option", "line"),
    [
        (
            DhcpOption("classless-static-route", "10.1.2.3/8, 10.0.0.1"),
            "tag:t,option:classless-static-route,10.0.0.0/8,10.0.0.1",
        ),
        (
            DhcpOption("bootfile-url", "tftp://[fd00::1]/x".replace("[", "").replace("]", ""), 6),
            "tag:t,option6:bootfile-url,tftp://fd00::1/x",
        ),
        (DhcpOption("dns-server", "fd00::1,fd00::2", 6), "tag:t,option6:dns-server,[fd00::1],[fd00::2]"),
        (DhcpOption("67", "pxelinux.0"), "tag:t,67,pxelinux.0"),
    ],
)
def test_option_that_is_written(option: DhcpOption, line: str) -> None:
    assert options.line("t", option) == line


@given(name=HOSTILE, value=HOSTILE, hostname=HOSTILE, mac=HOSTILE, address=HOSTILE, domain=HOSTILE, server=HOSTILE)
def test_nothing_hostile_gets_in(
    *, name: str, value: str, hostname: str, mac: str, address: str, domain: str, server: str
) -> None:
    bad = (
        DhcpHost(
            "1" * 36, HOST.mac, (FixedIp(SUBNET.id, "10.0.0.6"),), hostname, extra_options=(DhcpOption(name, value),)
        ),
        DhcpHost("2" * 36, mac, (FixedIp(SUBNET.id, address),), "ok"),
        DhcpHost("3" * 36, HOST.mac, (FixedIp(SUBNET.id, address),), "ok", extra_options=(DhcpOption("67", value),)),
    )
    network = subnet(dns_nameservers=(server,), host_routes=((address, server),))
    dhcp = msgspec.structs.replace(DHCP, hosts=(*bad, HOST), dns_domain=domain)
    found = rendered(network, dhcp)
    text = "".join(found.files.values())
    assert "fa:16:3e:00:00:05,10.0.0.5,web\n" in found.files["host"]
    assert text.isascii()
    assert not set(text) & set("\0\r\t\"'`$(){};|<>#\\")
    assert all(word.isascii() and word.isprintable() for word in found.arguments)
    most = 2 + len(found.files["host"].splitlines())
    assert found.files["host"].count("\n") <= 4
    assert found.files["addn_hosts"].count("\n") == found.files["host"].count("\n") <= most
    assert found.files["opts"].count("\n") <= 6
    assert all(line.startswith("tag:") for line in found.files["opts"].splitlines())


def test_lease_that_no_host_explains_is_released(tmp_path: Path) -> None:
    path = tmp_path / "leases"
    path.write_text(
        "1 fa:16:3e:00:00:05 10.0.0.5 web 01:fa:16:3e:00:00:05\n"
        "2 fa:16:3e:00:00:06 10.0.0.5 * *\n"
        "torn line\n"
        "duid 00:01\n"
        "3 1234 fd00::5 web 00:01\n"
    )
    (stale,) = leases.stale(leases.read(path), rendered().leases)
    assert stale == leases.Lease("fa:16:3e:00:00:06", "10.0.0.5", None)
    packet = leases.release_packet(stale, "10.0.0.2")
    assert len(packet) == 236 + 4 + 3 + 6 + 1
    assert packet[12:16] == bytes([10, 0, 0, 5])
    assert packet[28:34] == bytes.fromhex("fa163e000006")
    assert packet[236:] == bytes.fromhex("63825363") + bytes([53, 1, 7, 54, 4, 10, 0, 0, 2, 255])


def test_stale_ipv6_leases_are_told_by_address_and_by_the_mac_in_the_duid(tmp_path: Path) -> None:
    path = tmp_path / "leases"
    text = (
        "2 fa:16:3e:00:00:06 10.0.0.5 * *\n"
        "duid 00:01:02\n"
        "3 1 fd00::5 web 00:03:00:01:fa:16:3e:00:00:05\n"
        "3 1 fd00::6 web 00:03:00:01:fa:16:3e:00:00:05\n"
        "3 1 fd00::7 web 00:04:11:22\n"
        "3 1 fd00::8 web 00:04:11:22\n"
    )
    path.write_text(text)
    wanted = {("fa:16:3e:00:00:05", "fd00::5"), ("fa:16:3e:00:00:66", "fd00::6"), ("fa:16:3e:00:00:07", "fd00::7")}
    assert leases.stale_ipv6(path, frozenset(wanted)) == {"fd00::6", "fd00::8"}
    leases.forget(path, {"fd00::6", "fd00::8"})
    assert path.read_text().splitlines() == [
        line for line in text.splitlines() if "::6" not in line and "::8" not in line
    ]
    assert leases.stale_ipv6(tmp_path / "none", frozenset()) == set()
