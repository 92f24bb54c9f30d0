"""Whom the metadata API believes: the host agent's signature, and nothing that a guest can write."""

import pytest

from pileus.metadata.asker import signature
from tests.metadata.conftest import Guest

PATHS = ("/openstack/latest/meta_data.json", "/openstack/latest", "/openstack/latest/password", "/latest/meta-data/")
GUESSES = ("", "metadata_secret", "secret")


@pytest.mark.parametrize("path", PATHS)
def test_unsigned_and_wrongly_signed_requests_learn_nothing(guest: Guest, path: str) -> None:
    own, other = guest.server["id"], guest.bare["id"]
    right = guest.signed(own)["x-instance-id-signature"]
    for headers in (
        {},
        {"x-instance-id": own},
        {"x-instance-id-signature": right},
        {"x-instance-id": "", "x-instance-id-signature": guest.signed("")["x-instance-id-signature"]},
        {"x-instance-id": own, "x-instance-id-signature": ""},
        {"x-instance-id": own, "x-instance-id-signature": right[:-1]},
        {"x-instance-id": own, "x-instance-id-signature": right.upper()},
        {"x-instance-id": own, "x-instance-id-signature": "é" * 32},
        {"x-instance-id": other, "x-instance-id-signature": right},
        {"x-instance-id": own.upper(), "x-instance-id-signature": right},
        *({"x-instance-id": own, "x-instance-id-signature": signature(guess, own)} for guess in GUESSES),
    ):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        reply = guest.runner.run(guest.http.get(path, headers=raw))
        assert reply.status_code == 403, headers
        assert own not in reply.text
    assert guest.ask(path).status_code == 200


def test_every_path_but_the_roots_wants_a_signature(guest: Guest) -> None:
    for route in guest.cloud.cloud.manifests["metadata"].routes:
        path = route.path.format(version="latest", name="meta_data.json", a="placement", b="availability-zone", c="x")
        status = guest.ask(path, route.method, headers={}).status_code
        assert status == (200 if path in ("/", "/openstack") else 403), path


def test_the_tenant_must_be_the_servers_when_it_is_told(guest: Guest) -> None:
    path, signed = "/latest/meta-data/instance-id", guest.signed(guest.server["id"])
    assert guest.ask(path, headers=signed | {"x-tenant-id": guest.server["tenant_id"]}).status_code == 200
    for wrong in ("0" * 32, ""):
        assert guest.ask(path, headers=signed | {"x-tenant-id": wrong}).status_code == 404


def test_headers_that_a_guest_invents_change_nothing(guest: Guest) -> None:
    bare = guest.runner.run(guest.cloud.token("admin"))
    invented = {
        "x-forwarded-for": "10.77.0.9",
        "x-real-ip": "10.77.0.9",
        "forwarded": "for=10.77.0.9",
        "x-auth-token": bare,
        "x-roles": "admin",
        "x-user-id": "admin",
        "x-project-id": guest.server["tenant_id"],
        "x-is-admin-project": "True",
        "x-identity-status": "Confirmed",
        "openstack-api-version": "compute 9.99",
    }
    path = "/openstack/latest/meta_data.json"
    assert guest.ask(path, headers=invented).status_code == 403
    for server in (guest.server, guest.bare):
        reply = guest.ask(path, headers=invented | guest.signed(server["id"]))
        assert (reply.status_code, reply.json()["uuid"]) == (200, server["id"])


def test_servers_that_are_not_there_or_on_their_way_out(guest: Guest) -> None:
    path = "/latest/meta-data/instance-id"
    assert guest.ask(path, headers=guest.signed("5f0ce7d3-0000-4000-8000-000000000000")).status_code == 404
    assert guest.ask(path, headers=guest.signed("../../etc/passwd")).status_code == 404
    gone = guest.boot("gone")["id"]
    assert guest.ask(path, headers=guest.signed(gone)).status_code == 200
    guest.api("DELETE", f"/compute/v2.1/servers/{gone}")
    assert guest.ask(path, headers=guest.signed(gone)).status_code == 404  # from the moment of the wish
    guest.runner.run(guest.cloud.gone(gone))
    assert guest.ask(path, headers=guest.signed(gone)).status_code == 404
