"""Inventories: what a provider has, and the generations that keep two writers apart."""

import pytest

from tests.placement.client import Client, claim, new_uuid

STOCK = {"total": 8, "reserved": 1, "min_unit": 1, "max_unit": 4, "step_size": 1, "allocation_ratio": 2.5}


def test_life_of_inventories(client: Client) -> None:
    provider = client.provider("host")
    path = f"/resource_providers/{provider}/inventories"
    assert client.get(path) == {"inventories": {}, "resource_provider_generation": 0}
    put = client.ask(
        "PUT", path, {"resource_provider_generation": 0, "inventories": {"VCPU": STOCK, "DISK_GB": {"total": 5}}}
    )
    defaults = {
        "total": 5,
        "reserved": 0,
        "min_unit": 1,
        "max_unit": 2147483647,
        "step_size": 1,
        "allocation_ratio": 1.0,
    }
    assert put.json() == {"inventories": {"VCPU": STOCK, "DISK_GB": defaults}, "resource_provider_generation": 1}
    assert client.get(path) == put.json()
    assert client.get(f"{path}/VCPU") == STOCK | {"resource_provider_generation": 1}
    made = client.ask("POST", path, {"resource_class": "MEMORY_MB", "total": 64})
    assert made.status_code == 201 and made.headers["location"].endswith(f"{path}/MEMORY_MB")
    assert made.json()["resource_provider_generation"] == 2
    changed = client.ask("PUT", f"{path}/MEMORY_MB", {"resource_provider_generation": 2, "total": 128})
    assert changed.status_code == 200 and changed.json()["total"] == 128
    assert client.status("DELETE", f"{path}/MEMORY_MB") == 204
    assert client.status("GET", f"{path}/MEMORY_MB") == client.status("DELETE", f"{path}/MEMORY_MB") == 404
    assert client.status("DELETE", path, version="1.4") == 405
    assert client.status("DELETE", path) == 204
    assert client.get(path) == {"inventories": {}, "resource_provider_generation": 5}


def test_conflicts(client: Client) -> None:
    provider = client.provider("host", VCPU=4, DISK_GB=10)
    path = f"/resource_providers/{provider}/inventories"
    before = client.get(path)
    stale = {"resource_provider_generation": 0}
    assert client.fault("PUT", path, stale | {"inventories": {}}) == (409, "placement.concurrent_update")
    assert client.fault("PUT", f"{path}/VCPU", stale | {"total": 9}) == (409, "placement.concurrent_update")
    new = {"resource_class": "MEMORY_MB", "total": 1}
    assert client.fault("POST", path, stale | new) == (409, "placement.concurrent_update")
    assert client.fault("POST", path, {"resource_class": "VCPU", "total": 1}) == (409, "placement.undefined_code")
    assert client.get(path) == before
    assert client.status("PUT", f"/allocations/{new_uuid()}", claim((provider, {"VCPU": 1}))) == 204
    in_use = (409, "placement.inventory.inuse")
    now = {"resource_provider_generation": client.generation(provider)}
    assert client.fault("PUT", path, now | {"inventories": {"DISK_GB": {"total": 1}}}) == in_use
    assert client.fault("DELETE", f"{path}/VCPU") == client.fault("DELETE", path) == in_use
    assert client.get(path)["inventories"] == before["inventories"]
    assert client.status("DELETE", f"{path}/DISK_GB") == 204


@pytest.mark.parametrize(
    "stock",
    [
        {},
        {"total": 0},
        {"total": "8"},
        {"total": True},
        {"total": 2**31},
        {"total": 8, "reserved": 9},
        {"total": 8, "reserved": -1},
        {"total": 8, "min_unit": 0},
        {"total": 8, "min_unit": 3, "max_unit": 2},
        {"total": 8, "step_size": 0},
        {"total": 8, "allocation_ratio": -1},
        {"total": 8, "colour": "red"},
    ],
)
def test_bad_inventories(client: Client, stock: object) -> None:
    provider = client.provider("host")
    path = f"/resource_providers/{provider}/inventories"
    body = {"resource_provider_generation": 0, "inventories": {"VCPU": stock}}
    assert client.fault("PUT", path, body) == (400, "placement.undefined_code")
    assert client.get(path) == {"inventories": {}, "resource_provider_generation": 0}


def test_unknown_classes_and_providers(client: Client) -> None:
    provider = client.provider("host")
    path = f"/resource_providers/{provider}/inventories"
    body = {"resource_provider_generation": 0, "inventories": {"CUSTOM_GONE": {"total": 1}}}
    assert client.status("PUT", path, body) == 400
    assert client.status("POST", path, {"resource_class": "UNHEARD", "total": 1}) == 400
    assert client.status("PUT", f"{path}/VCPU", {"resource_provider_generation": 0, "total": 1}) == 400
    assert client.status("PUT", f"/resource_providers/{new_uuid()}/inventories", body) == 404


def test_all_may_be_reserved_since_1_26(client: Client) -> None:
    provider = client.provider("host")
    path = f"/resource_providers/{provider}/inventories"
    body = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8, "reserved": 8}}}
    assert client.status("PUT", path, body, version="1.25") == 400
    assert client.status("PUT", path, body, version="1.26") == 200
