"""Key pairs over HTTP: they belong to users."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from pileus.compute.keypairs.keys import fingerprint
from tests.compute.api.conftest import Caller

PATH = "/os-keypairs"
KEY = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
# a key and its fingerprint as `ssh-keygen -E md5 -lf` prints it
KNOWN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@here"


def imported(caller: Caller, name: str = "mine", **more: object) -> Any:
    return caller.post(PATH, {"keypair": {"name": name, "public_key": KEY, **more}}, 201)["keypair"]


def test_life_of_an_imported_key(member: Caller) -> None:
    made = imported(member)
    assert made["user_id"] == "user-of-p1"
    assert made["type"] == "ssh"
    assert "private_key" not in made
    shown = member.get(f"{PATH}/mine")["keypair"]
    assert (shown["public_key"], shown["deleted"]) == (KEY, False)
    assert isinstance(shown["id"], int)
    assert [k["keypair"]["name"] for k in member.get(PATH)["keypairs"]] == ["mine"]
    member.refused("POST", PATH, 409, {"keypair": {"name": "mine", "public_key": KEY}})
    member.delete(f"{PATH}/mine")
    member.refused("DELETE", f"{PATH}/mine", 404)
    member.refused("GET", f"{PATH}/mine", 404)


def test_microversions(member: Caller) -> None:
    made = member.post(PATH, {"keypair": {"name": "old", "public_key": KEY}}, 200, version="2.1")["keypair"]
    assert "type" not in made
    member.delete(f"{PATH}/old", 202, version="2.1")
    assert "type" in member.refused("POST", PATH, 400, {"keypair": {"name": "x", "type": "ssh"}}, version="2.1")


def test_a_generated_key_fits_its_public_half(member: Caller) -> None:
    made = member.post(PATH, {"keypair": {"name": "made"}}, 201, version="2.91")["keypair"]
    private = load_ssh_private_key(made["private_key"].encode(), None)
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert made["public_key"].startswith(public)
    assert made["fingerprint"] == fingerprint("ssh", public)
    assert "private_key" not in member.get(f"{PATH}/made")["keypair"]
    assert "public_key" in member.refused("POST", PATH, 400, {"keypair": {"name": "other"}}, version="2.92")


def test_a_generated_certificate(member: Caller) -> None:
    made = member.post(PATH, {"keypair": {"name": "win", "type": "x509"}}, 201, version="2.91")["keypair"]
    assert made["public_key"].startswith("-----BEGIN CERTIFICATE-----")
    assert len(made["fingerprint"].split(":")) == 20
    again = {"keypair": {"name": "again", "type": "x509", "public_key": made["public_key"]}}
    assert member.post(PATH, again, 201)["keypair"]["fingerprint"] == made["fingerprint"]
    member.refused("POST", PATH, 400, {"keypair": {"name": "bad", "type": "x509", "public_key": KEY}})


def test_fingerprint_is_the_md5_of_the_key() -> None:
    assert fingerprint("ssh", KNOWN) == fingerprint("ssh", KNOWN.rpartition(" ")[0])
    assert fingerprint("ssh", KNOWN) == "0f:a2:0a:d7:38:3e:65:45:08:6b:63:84:1c:ff:dc:ba"


def test_kinds_of_keys() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())):
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        assert len(fingerprint("ssh", public).split(":")) == 16
    name = "sk-ssh-ed25519@openssh.com"
    blob = len(name).to_bytes(4, "big") + name.encode() + b"rest"
    assert fingerprint("ssh", f"{name} {base64.b64encode(blob).decode()}")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAA",
        "ssh-rsa " + KEY.split()[1],
        "sk-ssh-ed25519@openssh.com " + KEY.split()[1],
        KEY[:-8],
        KEY + "\n" + KEY,
        'command="reboot" ' + KEY,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "k" * 65536,
    ],
)
def test_bad_keys(member: Caller, key: str) -> None:
    member.refused("POST", PATH, 400, {"keypair": {"name": "bad", "public_key": key}})


@pytest.mark.parametrize("name", ["", " a", "a ", "n" * 256, "a/b", "ä", "a\n"])
def test_bad_names(member: Caller, name: str) -> None:
    member.refused("POST", PATH, 400, {"keypair": {"name": name, "public_key": KEY}})


def test_names_with_at_and_dot_come_with_2_92(member: Caller) -> None:
    body = {"keypair": {"name": "me@here.org", "public_key": KEY}}
    member.refused("POST", PATH, 400, body, version="2.91")
    member.post(PATH, body, 201, version="2.92")
    member.get(f"{PATH}/me@here.org")


def test_keys_of_other_users(member: Caller, other: Caller, admin: Caller) -> None:
    imported(member)
    other.refused("GET", f"{PATH}/mine", 404)
    other.refused("GET", f"{PATH}/mine?user_id=user-of-p1", 403)
    other.refused("GET", f"{PATH}?user_id=user-of-p1", 403)
    other.refused("DELETE", f"{PATH}/mine?user_id=user-of-p1", 403)
    other.refused("POST", PATH, 403, {"keypair": {"name": "x", "public_key": KEY, "user_id": "user-of-p1"}})
    assert len(admin.get(f"{PATH}?user_id=user-of-p1")["keypairs"]) == 1
    imported(admin, "given", user_id="user-of-p1")
    assert member.get(f"{PATH}/given")["keypair"]["user_id"] == "user-of-p1"
    admin.delete(f"{PATH}/given?user_id=user-of-p1")


def test_lists_page_by_name(member: Caller, other: Caller, queries: Callable[[], Any]) -> None:
    for name in ("c", "a", "b"):
        imported(member, name)
    imported(other, "a")
    with queries() as seen:
        first = member.get(f"{PATH}?limit=2")
    assert len(seen) == 1
    assert [k["keypair"]["name"] for k in first["keypairs"]] == ["a", "b"]
    link = first["keypairs_links"][0]["href"].partition("/v2.1")[2]
    assert [k["keypair"]["name"] for k in member.get(link)["keypairs"]] == ["c"]
    member.refused("GET", f"{PATH}?marker=z", 400)
    member.refused("GET", f"{PATH}?limit=-1", 400)
    member.refused("GET", f"{PATH}?colour=red", 400)
    assert len(member.get(f"{PATH}?limit=1", version="2.34")["keypairs"]) == 3


def test_quota(admin: Caller, member: Caller) -> None:
    admin.put("/os-quota-sets/p1", {"quota_set": {"key_pairs": 1}})
    imported(member, "one")
    assert "Quota" in member.refused("POST", PATH, 403, {"keypair": {"name": "two", "public_key": KEY}})
