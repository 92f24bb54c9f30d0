"""Traits, resource classes and aggregates."""

import pytest

from tests.placement.client import Client, new_uuid


def test_life_of_a_trait(client: Client) -> None:
    assert client.status("GET", "/traits/CUSTOM_FAST") == 404
    assert [client.status("PUT", "/traits/CUSTOM_FAST") for _ in range(2)] == [201, 204]
    assert client.status("GET", "/traits/CUSTOM_FAST") == client.status("GET", "/traits/HW_CPU_X86_AVX") == 204
    every = client.get("/traits")["traits"]
    assert len(every) > 300 and {"CUSTOM_FAST", "HW_CPU_X86_AVX", "MISC_SHARES_VIA_AGGREGATE"} <= set(every)
    assert client.get("/traits?name=startswith:CUSTOM_") == {"traits": ["CUSTOM_FAST"]}
    asked = "name=in:CUSTOM_FAST,HW_CPU_X86_AVX,CUSTOM_NONE"
    assert client.get(f"/traits?{asked}") == {"traits": ["CUSTOM_FAST", "HW_CPU_X86_AVX"]}
    client.set_traits(client.provider("host"), "CUSTOM_FAST")
    assert client.get("/traits?associated=true") == {"traits": ["CUSTOM_FAST"]}
    assert client.get(f"/traits?{asked}&associated=false") == {"traits": ["HW_CPU_X86_AVX"]}
    assert client.status("DELETE", "/traits/CUSTOM_FAST") == 409
    assert client.status("PUT", "/traits/CUSTOM_FREE") == 201
    assert client.status("DELETE", "/traits/CUSTOM_FREE") == 204
    assert client.status("DELETE", "/traits/CUSTOM_FREE") == 404
    assert client.status("DELETE", "/traits/HW_CPU_X86_AVX") == 400


@pytest.mark.parametrize("kind", ["traits", "resource_classes"])
@pytest.mark.parametrize(
    "name", ["CUSTOM_", "CUSTOM_fast", "CUSTOM_A-B", "FAST", "VCPU", "CUSTOM_" + "X" * 249, "CUSTOM_É"]
)
def test_names_that_can_not_be_made(client: Client, kind: str, name: str) -> None:
    assert client.fault("PUT", f"/{kind}/{name}")[0] == 400


@pytest.mark.parametrize("query", ["name=CUSTOM_X", "name=like:X", "associated=perhaps", "colour=red"])
def test_bad_trait_filters(client: Client, query: str) -> None:
    assert client.fault("GET", f"/traits?{query}")[0] == 400


def test_traits_of_a_provider(client: Client) -> None:
    path = f"/resource_providers/{client.provider('host')}/traits"
    assert client.get(path) == {"traits": [], "resource_provider_generation": 0}
    body = {"traits": ["HW_CPU_X86_AVX", "COMPUTE_NODE"], "resource_provider_generation": 0}
    put = client.ask("PUT", path, body)
    assert put.json() == {"traits": ["COMPUTE_NODE", "HW_CPU_X86_AVX"], "resource_provider_generation": 1}
    assert client.get(path) == put.json()
    assert client.fault("PUT", path, body) == (409, "placement.concurrent_update")
    for bad in (["CUSTOM_NONE"], ["COMPUTE_NODE", "COMPUTE_NODE"], [5], "COMPUTE_NODE"):
        assert client.status("PUT", path, {"traits": bad, "resource_provider_generation": 1}) == 400
    assert client.status("PUT", path, {"traits": []}) == 400
    assert client.get(path) == put.json()
    assert client.status("DELETE", path) == 204
    assert client.get(path) == {"traits": [], "resource_provider_generation": 2}


def test_life_of_a_resource_class(client: Client) -> None:
    path = "/resource_classes"
    listed = [entry["name"] for entry in client.get(path)["resource_classes"]]
    assert listed[:3] == ["VCPU", "MEMORY_MB", "DISK_GB"]
    made = client.ask("POST", path, {"name": "CUSTOM_GOLD"})
    assert made.status_code == 201 and made.headers["location"].endswith(f"{path}/CUSTOM_GOLD")
    assert client.status("POST", path, {"name": "CUSTOM_GOLD"}) == 409
    assert client.status("POST", path, {"name": "GOLD"}) == 400
    link = {"rel": "self", "href": "/placement/resource_classes/CUSTOM_GOLD"}
    assert client.get(f"{path}/CUSTOM_GOLD") == {"name": "CUSTOM_GOLD", "links": [link]}
    assert [client.status("PUT", f"{path}/CUSTOM_TIN") for _ in range(2)] == [201, 204]
    provider = client.provider("host", CUSTOM_GOLD=3)
    assert client.status("DELETE", f"{path}/CUSTOM_GOLD") == 409
    renamed = client.ask("PUT", f"{path}/CUSTOM_GOLD", {"name": "CUSTOM_SILVER"}, version="1.6")
    assert (renamed.status_code, renamed.json()["name"]) == (200, "CUSTOM_SILVER")
    assert client.status("PUT", f"{path}/CUSTOM_SILVER", {"name": "CUSTOM_TIN"}, version="1.6") == 409
    assert list(client.get(f"/resource_providers/{provider}/inventories")["inventories"]) == ["CUSTOM_SILVER"]
    assert client.status("GET", f"{path}/CUSTOM_GOLD") == client.status("DELETE", f"{path}/CUSTOM_GOLD") == 404
    assert client.status("DELETE", f"{path}/VCPU") == 400
    assert client.status("DELETE", f"{path}/CUSTOM_TIN") == 204
    assert client.status("GET", path, version="1.1") == 404


def test_aggregates(client: Client) -> None:
    path = f"/resource_providers/{client.provider('host')}/aggregates"
    ids = sorted(new_uuid() for _ in range(2))
    assert client.ask("PUT", path, ids, version="1.18").json() == {"aggregates": ids}
    assert client.get(path, version="1.1") == {"aggregates": ids}
    assert client.get(path) == {"aggregates": ids, "resource_provider_generation": 0}
    body = {"aggregates": ids[:1], "resource_provider_generation": 0}
    assert client.ask("PUT", path, body).json() == {"aggregates": ids[:1], "resource_provider_generation": 1}
    assert client.fault("PUT", path, body) == (409, "placement.concurrent_update")
    for bad in (["here"], [ids[0], ids[0].upper()], "x"):
        assert client.status("PUT", path, {"aggregates": bad, "resource_provider_generation": 1}) == 400, bad
    assert client.status("PUT", path, ids) == 400
    assert client.get(path)["aggregates"] == ids[:1]
