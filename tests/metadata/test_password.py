"""The password that a guest leaves for its owner: once, small, any bytes."""

import pytest

from tests.metadata.conftest import Guest

PATH = "/openstack/2013-04-04/password"


@pytest.fixture
def fresh(guest: Guest) -> dict[str, str]:
    """Signed headers of a server that has no password yet."""
    return guest.signed(guest.boot("fresh")["id"])


def post(guest: Guest, headers: dict[str, str], body: bytes) -> int:
    return guest.ask(PATH, "POST", headers, body).status_code


def test_set_once_and_read_back_by_the_guest_and_its_owner(guest: Guest, fresh: dict[str, str]) -> None:
    assert guest.ask(PATH, headers=fresh).text == ""
    assert post(guest, fresh, b"ZW5jcnlwdGVk") == 200
    again = guest.ask(PATH, "POST", fresh, b"other")
    assert (again.status_code, again.json()["error"]["message"]) == (409, "The password is set already.")
    for version in ("latest", "2018-08-27"):
        assert guest.ask(f"/openstack/{version}/password", headers=fresh).text == "ZW5jcnlwdGVk"
    owner = guest.api("GET", f"/compute/v2.1/servers/{fresh['x-instance-id']}/os-server-password")
    assert owner == {"password": "ZW5jcnlwdGVk"}


def test_the_largest_and_one_byte_more(guest: Guest, fresh: dict[str, str]) -> None:
    assert post(guest, fresh, b"x" * 1021) == 413
    assert guest.ask(PATH, headers=fresh).text == ""
    assert post(guest, fresh, b"x" * 1020) == 200
    assert guest.ask(PATH, headers=fresh).text == "x" * 1020


def test_bytes_that_are_no_text(guest: Guest, fresh: dict[str, str]) -> None:
    assert post(guest, fresh, b"a\xff\xfeb\x00c") == 200
    assert guest.ask(PATH, headers=fresh).text == "a\ufffd\ufffdb\x00c"


def test_unsigned_or_in_a_version_that_is_not_there(guest: Guest, fresh: dict[str, str]) -> None:
    assert post(guest, {}, b"x") == 403
    assert post(guest, fresh | {"x-instance-id-signature": "0" * 64}, b"x") == 403
    assert guest.ask("/openstack/2030-01-01/password", "POST", fresh, b"x").status_code == 404
    assert guest.ask(PATH, headers=fresh).text == ""
    assert guest.ask(PATH, "PUT", fresh, b"x").headers["allow"] == "GET, POST"
