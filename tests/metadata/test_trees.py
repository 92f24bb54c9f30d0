"""Both trees, walked from their roots as a guest does, in every version."""

from typing import Any

import pytest

from pileus.metadata.documents import ec2, openstack
from tests.metadata.conftest import DHCP, FIXED, PUBLIC_KEY, USER_DATA, Guest


def walk(guest: Guest, path: str) -> dict[str, str]:
    """Every text below a directory of the EC2 tree, by its path there."""
    found: dict[str, str] = {}
    for line in guest.text(path).splitlines():
        name = line.partition("=")[0]
        if line.endswith("/") or "=" in line:
            found |= {f"{line}{rest}": text for rest, text in walk(guest, f"{path}{name.rstrip('/')}/").items()}
        else:
            found[line] = guest.text(path + name)
    return found


def test_the_roots(guest: Guest) -> None:
    assert guest.text("/").splitlines() == list(ec2.VERSIONS)
    assert guest.text("/openstack").splitlines() == list(openstack.VERSIONS)
    assert guest.text("/").splitlines()[-1] == guest.text("/openstack/").splitlines()[-1] == "latest"


@pytest.mark.parametrize("version", ec2.VERSIONS)
def test_every_text_of_the_ec2_tree(guest: Guest, version: str) -> None:
    assert guest.text(f"/{version}/").splitlines() == ["meta-data/", "user-data"]
    found = walk(guest, f"/{version}/meta-data/")
    shown = guest.server
    assert found == {
        "ami-id": f"ami-{shown['image']['id'][:8]}",
        "ami-launch-index": "0",
        "ami-manifest-path": "",
        "block-device-mapping/ami": "vda",
        "block-device-mapping/root": "/dev/vda",
        "hostname": "first-guest.novalocal",
        "instance-action": "none",
        "instance-id": f"i-{shown['id'][:8]}",
        "instance-type": "m1.nano",
        "local-hostname": "first-guest.novalocal",
        "local-ipv4": FIXED[0],
        "placement/availability-zone": "nova",
        "public-hostname": "first-guest.novalocal",
        "public-ipv4": "",
        "public-keys/0=my keyopenssh-key": PUBLIC_KEY,
        "reservation-id": shown["OS-EXT-SRV-ATTR:reservation_id"],
        "security-groups": "default",
    }
    assert guest.ask(f"/{version}/user-data").content == USER_DATA


@pytest.mark.parametrize("version", openstack.VERSIONS)
def test_every_document_of_the_openstack_tree(guest: Guest, version: str) -> None:
    names = guest.text(f"/openstack/{version}/").splitlines()
    assert sorted(names) == [
        *("meta_data.json", "network_data.json", "password", "user_data", "vendor_data.json", "vendor_data2.json")
    ]
    documents = {name: guest.ask(f"/openstack/{version}/{name}") for name in names}
    assert {name: reply.status_code for name, reply in documents.items()} == dict.fromkeys(names, 200)
    assert documents["user_data"].content == USER_DATA
    assert documents["vendor_data.json"].json() == documents["vendor_data2.json"].json() == {}
    meta = documents["meta_data.json"].json()
    assert len(meta.pop("random_seed")) > 600
    assert meta == {
        "uuid": guest.server["id"],
        "name": "First Guest",
        "hostname": "first-guest.novalocal",
        "availability_zone": "nova",
        "project_id": guest.server["tenant_id"],
        "launch_index": 0,
        "devices": [],
        "dedicated_cpus": [],
        "meta": {"role": "wéb", "tier": "1"},
        "admin_pass": "a-secret-of-the-guest",
        "public_keys": {"my key": PUBLIC_KEY},
        "keys": [{"name": "my key", "type": "ssh", "data": PUBLIC_KEY}],
    }


def test_two_readings_have_two_seeds(guest: Guest) -> None:
    seeds = [guest.ask("/openstack/latest/meta_data.json").json()["random_seed"] for _ in range(2)]
    assert seeds[0] != seeds[1]


def test_network_data_tells_fixed_addresses_and_leaves_dhcp_to_dhcp(guest: Guest) -> None:
    found = guest.ask("/openstack/latest/network_data.json").json()
    fixed, dhcp = guest.ports
    dns = [{"type": "dns", "address": address} for address in ("10.77.0.53", "10.77.0.54")]
    names = {port["id"]: f"tap{port['id'][:11]}" for port in guest.ports}
    assert found["links"] == [
        {
            "id": names[port["id"]],
            "vif_id": port["id"],
            "type": "bridge",
            "mtu": 1450,
            "ethernet_mac_address": port["mac_address"],
        }
        for port in (fixed, dhcp)
    ]
    static: dict[str, Any] = {
        "link": names[fixed["id"]],
        "network_id": fixed["network_id"],
        "type": "ipv4",
        "netmask": "255.255.255.0",
        "routes": [
            {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.77.0.1"},
            {"network": "192.168.5.0", "netmask": "255.255.255.0", "gateway": "10.77.0.7"},
        ],
        "services": dns,
    }
    assert found["networks"] == [
        *(static | {"id": f"network{n}", "ip_address": address} for n, address in enumerate(FIXED)),
        {"id": "network2", "link": names[dhcp["id"]], "network_id": dhcp["network_id"], "type": "ipv4_dhcp"},
    ]
    assert found["services"] == dns
    assert DHCP[0] not in str(found)


def test_a_server_without_key_user_data_or_network(guest: Guest) -> None:
    headers = guest.signed(guest.bare["id"])

    def ask(path: str) -> tuple[int, str]:
        reply = guest.ask(path, headers=headers)
        return reply.status_code, reply.text

    assert "user_data" not in ask("/openstack/latest")[1]
    assert ask("/latest") == (200, "meta-data/")
    assert ask("/openstack/latest/user_data")[0] == ask("/latest/user-data")[0] == 404
    assert "public-keys" not in ask("/latest/meta-data")[1]
    assert ask("/latest/meta-data/public-keys/0/openssh-key")[0] == 404
    assert ask("/latest/meta-data/local-ipv4") == (200, "")
    meta = guest.ask("/openstack/latest/meta_data.json", headers=headers).json()
    assert {"meta", "keys", "public_keys"}.isdisjoint(meta)
    empty = guest.ask("/openstack/latest/network_data.json", headers=headers).json()
    assert empty == {"links": [], "networks": [], "services": []}


@pytest.mark.parametrize(
    "path",
    [
        *("/openstack/2030-01-01/meta_data.json", "/openstack/2030-01-01", "/openstack/2030-01-01/password"),
        *("/openstack/latest/nothing.json", "/openstack/latest/meta_data.json/more", "/2030-01-01/meta-data"),
        *("/2030-01-01", "/2030-01-01/user-data", "/latest/nothing", "/latest/meta-data/nothing"),
        *("/latest/meta-data/hostname/more", "/latest/meta-data/public-keys/1", "/latest/meta-data/a/b/c/d"),
        *("/latest/meta-data/%2e%2e/user-data", "/..%2f..%2fetc/passwd", "/compute/v2.1/servers"),
    ],
)
def test_what_is_not_there(guest: Guest, path: str) -> None:
    reply = guest.ask(path)
    assert reply.status_code == 404, reply.text
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/openstack/latest/meta_data.json", "/latest/user-data", "/latest/meta-data/"])
def test_head_tells_the_size_and_nothing_else(guest: Guest, path: str) -> None:
    reply = guest.ask(path, "HEAD")
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["content-length"] == guest.ask(path).headers["content-length"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_nothing_else_writes(guest: Guest, method: str) -> None:
    for path in ("/openstack/latest/meta_data.json", "/latest/meta-data/hostname", "/"):
        reply = guest.ask(path, method)
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET")
