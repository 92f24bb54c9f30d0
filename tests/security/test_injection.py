"""Values that end up in descriptions, configurations and rules stay values (CVE-2021-40085, 2014-7821, 2015-3221)."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pileus.compute.drivers.base import GuestFailed, GuestSpec, ImageRef, NicSpec
from pileus.compute.drivers.libvirt.domain_xml import Platform, domain_xml
from pileus.compute.drivers.libvirt.guest_files import GuestFiles
from pileus.compute.drivers.libvirt.qemu_user import QemuUser
from pileus.network.agent.dhcp.render import render
from pileus.network.agent.firewall.numbering import Numbering
from pileus.network.agent.firewall.policy import policy_of, ruleset_of
from pileus.network.agent.firewall.ruleset import Ruleset, difference
from pileus.network.agent.firewall.tables import base_text
from pileus.network.agent.snapshot import (
    AddressPair,
    Dhcp,
    DhcpHost,
    DhcpOption,
    FixedIp,
    HostNetwork,
    Network,
    Port,
    Rule,
    SecurityGroup,
    Snapshot,
    Subnet,
)
from tests.security.world import World

QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="a1.:,;/\n\r\0\t\"'`$(){}[]#=|<>\\& ", max_size=30),
    st.sampled_from(
        [
            "</name><devices/>",
            "]]>",
            "<!--",
            "&lt;",
            "a' file='/etc/shadow",
            '"/><qemu:arg value="-S"/>',
            "\ud800",
            "x\ndhcp-script=/bin/sh",
            "a,set:known",
            "$(id)",
            "accept; flush ruleset",
            "} } table ip x {",
            "../../x",
        ]
    ),
)
PLATFORM = Platform("qemu", "Nehalem", "pc")
FILES = GuestFiles(Path("/state/guests"), QemuUser(64055, 64055))
PROPERTIES = ("hw_disk_bus", "hw_cdrom_bus", "hw_vif_model", "hw_video_model", "hw_machine_type", "hw_qemu_guest_agent",
              "os_type", "hw_firmware_type", "hw_scsi_model", "os_command_line", "hw_rng_model", "anything")  # fmt: skip
SERVER, IMAGE = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def guest(name: str, project: str = "p", **properties: str) -> GuestSpec:
    return GuestSpec(
        server_id=SERVER,
        name=name,
        project_id=project,
        vcpus=1,
        memory_mb=64,
        root_gb=1,
        ephemeral_gb=0,
        swap_mb=0,
        image=ImageRef(IMAGE, "qcow2", 1, "0" * 128, properties),
        nics=(NicSpec("p", "fa:16:3e:00:00:01", "tap1", 1450),),
        config_drive=None,
        extra_specs={name: name},
    )


def skeleton(text: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every element with its attributes: what libvirt acts on."""
    return [(e.tag, tuple(sorted(e.attrib.items()))) for e in ElementTree.fromstring(text).iter()]


@QUICK
@given(name=HOSTILE, project=HOSTILE)
def test_names_change_no_element_of_a_domain(name: str, project: str) -> None:
    assert skeleton(domain_xml(guest(name, project), FILES, PLATFORM)) == skeleton(
        domain_xml(guest("plain"), FILES, PLATFORM)
    )


@QUICK
@given(name=st.sampled_from(PROPERTIES), value=HOSTILE)
def test_image_properties_choose_from_what_is_known(name: str, value: str) -> None:
    """A property is refused, ignored or one of the documented words: never an attribute as it came."""
    try:
        made = skeleton(domain_xml(guest("plain", **{name: value}), FILES, PLATFORM))
    except GuestFailed:
        return
    plain = skeleton(domain_xml(guest("plain"), FILES, PLATFORM))
    assert [tag for tag, _ in made] == [tag for tag, _ in plain] or value.strip().lower() in ("true", "yes", "1", "on")
    known = {attribute for _, attributes in plain for attribute in attributes}
    fresh = {text for _, attributes in made for key, text in attributes if (key, text) not in known}
    assert value not in fresh or value.isalnum()


SUBNET = Subnet("a" * 36, "10.0.0.0/24", 4, "10.0.0.1", True)
HOST = DhcpHost("c" * 36, "fa:16:3e:00:00:05", (FixedIp(SUBNET.id, "10.0.0.5"),), "web")
GOOD = DhcpHost("f" * 36, "fa:16:3e:00:00:06", (FixedIp(SUBNET.id, "10.0.0.6"),), "good")


def dhcp_files(host: DhcpHost, **subnet: object) -> dict[str, str]:
    own = Dhcp("d" * 36, "fa:16:3e:00:00:02", (FixedIp(SUBNET.id, "10.0.0.2"),), (host, GOOD))
    network = Network("e" * 36, "vxlan", None, 1, 1450, (msgspec.structs.replace(SUBNET, **subnet),), dhcp=own)
    made = render(network, own, Path("/state/dhcp/n"), "ns-1", "nobody")
    return dict(made.files) | {"arguments": "\n".join(made.arguments)}


@QUICK
@given(hostname=HOSTILE, option=HOSTILE, value=HOSTILE, server=HOSTILE, mac=HOSTILE)
def test_one_tenants_values_add_no_line_for_dnsmasq(
    hostname: str, option: str, value: str, server: str, mac: str
) -> None:
    """Bad values cost their own host or option; the neighbour's lines stay, and nothing new appears."""
    bad = msgspec.structs.replace(HOST, hostname=hostname, mac=mac, extra_options=(DhcpOption(option, value, 4),))
    made = dhcp_files(bad, dns_nameservers=(server,), host_routes=((value, server),))
    plain = dhcp_files(HOST, dns_nameservers=("192.0.2.53",))
    assert made["arguments"] == plain["arguments"]
    assert "fa:16:3e:00:00:06,10.0.0.6,good" in made["host"].splitlines()
    for name, text in made.items():
        if name != "arguments":
            assert len(text.splitlines()) <= len(plain[name].splitlines()) + 3, name
            for line in text.splitlines():
                assert not line.startswith(("dhcp-script", "conf-", "addn-", "user=", "pid-file")), line


GROUP, NETWORK = str(uuid.UUID(int=5)), str(uuid.UUID(int=6))


def rules_for(hostile: str, *, mac: str = "fa:16:3e:00:00:05", address: str = "10.0.0.5") -> str:
    port = Port(
        str(uuid.UUID(int=3)), NETWORK, mac, (FixedIp("s", address),), True, True, "compute:nova", (GROUP, hostile),
        (AddressPair(hostile, hostile),),
    )  # fmt: skip
    good = msgspec.structs.replace(port, id=str(uuid.UUID(int=4)), mac="fa:16:3e:00:00:06", address_pairs=())
    groups = (
        SecurityGroup(GROUP, True, (Rule("ingress", "IPv4", "tcp", 22, 22, None, None),), ("10.0.0.5",)),
        SecurityGroup(
            hostile,
            True,
            (
                Rule("ingress", "IPv4", hostile, 1, 2, None, None),
                Rule("ingress", "IPv4", "tcp", 1, 2, hostile, None),
                Rule(hostile, hostile, None, None, None, None, hostile),
            ),
            (hostile,),
        ),
    )
    networks = (Network(NETWORK, "local", None, None, 1400, ()),)
    shot = Snapshot(host="h", generation=1, networks=networks, ports=(port, good), security_groups=groups, routers=())
    return difference(
        Ruleset(), ruleset_of(policy_of(shot), Numbering(range(1, 60000), 0, {}), Numbering(range(1, 60000), 0, {}))
    )


@QUICK
@given(hostile=HOSTILE)
def test_values_become_no_firewall_commands(hostile: str) -> None:
    """The rules of the neighbour are there whatever one port's group, pairs and addresses say."""
    made = rules_for(hostile)
    assert "fa:16:3e:00:00:06" in made
    assert "flush ruleset" not in made and "dhcp-script" not in made
    if not hostile.isalnum() and len(hostile.strip()) > 3 and not hostile.isascii():
        assert hostile not in made


@pytest.mark.skipif(shutil.which("unshare") is None or shutil.which("nft") is None, reason="needs nft and unshare")
@pytest.mark.parametrize("hostile", ["accept; flush ruleset", "x\n}", "} } table ip x {", '"', "\x00", "$(id)"])
def test_nft_takes_the_rules_whatever_they_hold(hostile: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    text = base_text(HostNetwork("h", "/state", "192.0.2.1")) + rules_for(hostile)
    done = subprocess.run(
        ["unshare", "-n", "nft", "-c", "-f", "-"], input=text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


WRONG = ("a\nb", "a\0b", "x\ndhcp-script=/bin/sh", "\r", "\x1b[0m")


@pytest.mark.parametrize("value", WRONG)
def test_the_api_refuses_control_characters_where_they_could_matter(world: World, value: str) -> None:
    red = world.ids["red"]
    with world.taken_back():
        for kind, wrapper, wish in (
            (f"ports/{red['port']}", "port", {"dns_name": value}),
            (f"ports/{red['port']}", "port", {"extra_dhcp_opts": [{"opt_name": value, "opt_value": "x"}]}),
            (f"ports/{red['port']}", "port", {"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": value}]}),
            (f"ports/{red['port']}", "port", {"allowed_address_pairs": [{"ip_address": value}]}),
            (f"ports/{red['port']}", "port", {"device_id": value}),
            (f"ports/{red['port']}", "port", {"device_owner": value}),
            (f"subnets/{red['subnet']}", "subnet", {"dns_nameservers": [value]}),
            (f"subnets/{red['subnet']}", "subnet", {"host_routes": [{"destination": value, "nexthop": "10.1.0.9"}]}),
            (f"networks/{red['network']}", "network", {"name": value}),
            (f"networks/{red['network']}", "network", {"dns_domain": value}),
            (f"security-groups/{red['security_group']}", "security_group", {"name": value}),
        ):
            answer = world.ask("member", "PUT", f"/network/v2.0/{kind}", {wrapper: wish})
            assert answer.status == 400, (kind, wish)
        name = {"server": {"hostname": value}}
        assert world.ask("member", "PUT", f"/compute/v2.1/servers/{red['server']}", name).status == 400
        key = {"keypair": {"name": "x", "public_key": f"ssh-ed25519 AAAA{value}"}}
        assert world.ask("member", "POST", "/compute/v2.1/os-keypairs", key).status == 400
