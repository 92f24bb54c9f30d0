"""Allocations and usages: who holds what, never more than there is."""

import pytest

from tests.placement.client import MEMBER, Client, claim, new_uuid


def test_life_of_an_allocation(client: Client) -> None:
    provider = client.provider("host", VCPU=4, MEMORY_MB=1024)
    path = f"/allocations/{(consumer := new_uuid())}"
    assert client.get(path) == {"allocations": {}}
    assert client.status("PUT", path, claim((provider, {"VCPU": 2, "MEMORY_MB": 512}))) == 204
    assert client.get(path) == {
        "allocations": {provider: {"generation": 2, "resources": {"VCPU": 2, "MEMORY_MB": 512}}},
        "project_id": "p1",
        "user_id": "u1",
        "consumer_generation": 1,
        "consumer_type": "INSTANCE",
    }
    of_provider = f"/resource_providers/{provider}"
    assert client.get(f"{of_provider}/allocations") == {
        "allocations": {consumer: {"resources": {"VCPU": 2, "MEMORY_MB": 512}, "consumer_generation": 1}},
        "resource_provider_generation": 2,
    }
    assert client.get(f"{of_provider}/usages")["usages"] == {"VCPU": 2, "MEMORY_MB": 512}
    again = client.get(path)
    again["allocations"][provider]["resources"] = {"VCPU": 4}
    assert client.status("PUT", path, again) == 204
    assert client.get(f"{of_provider}/usages")["usages"] == {"VCPU": 4, "MEMORY_MB": 0}
    assert client.status("DELETE", path) == 204
    assert client.status("DELETE", path) == 404
    assert client.get(f"{of_provider}/usages") == {
        "usages": {"VCPU": 0, "MEMORY_MB": 0},
        "resource_provider_generation": 4,
    }


def test_the_forms_of_old_microversions(client: Client) -> None:
    provider = client.provider("host", VCPU=8)
    path = f"/allocations/{new_uuid()}"
    entry = {"resource_provider": {"uuid": provider}, "resources": {"VCPU": 1}}
    assert client.status("PUT", path, {"allocations": [entry]}, version="1.0") == 204
    assert set(client.get(path, version="1.11")) == {"allocations"}
    assert client.get(path)["consumer_type"] == "unknown"
    owner = {"project_id": "p2", "user_id": "u2"}
    assert client.status("PUT", path, {"allocations": [entry]}, version="1.8") == 400
    assert client.status("PUT", path, {"allocations": [entry]} | owner, version="1.7") == 400
    assert client.status("PUT", path, {"allocations": [entry]} | owner, version="1.8") == 204
    assert client.status("PUT", path, {"allocations": [entry, entry]} | owner, version="1.8") == 400
    assert client.status("PUT", path, {"allocations": []} | owner, version="1.8") == 400
    mapped = {"allocations": {provider: {"resources": {"VCPU": 2}}}} | owner
    assert client.status("PUT", path, mapped, version="1.12") == 204
    assert client.get(path)["project_id"] == "p2"
    assert client.status("PUT", path, mapped | {"allocations": {}}, version="1.12") == 400
    assert client.status("PUT", path, mapped, version="1.28") == 400
    newer = mapped | {"consumer_generation": 3}
    assert client.status("PUT", path, newer, version="1.27") == 400
    assert client.status("PUT", path, newer | {"mappings": {"": [provider]}}, version="1.33") == 400
    assert client.status("PUT", path, newer | {"mappings": {"": [provider]}}, version="1.34") == 204
    assert client.status("PUT", path, newer | {"consumer_generation": 4}, version="1.38") == 400


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ({"VCPU": 9}, "capacity"),
        ({"MEMORY_MB": 96}, "64"),
        ({"MEMORY_MB": 16}, "32"),
        ({"MEMORY_MB": 40}, "steps of 16"),
        ({"DISK_GB": 1}, "no inventory"),
    ],
)
def test_what_an_inventory_refuses(client: Client, resources: dict[str, int], reason: str) -> None:
    memory = {"total": 640, "min_unit": 32, "max_unit": 64, "step_size": 16}
    provider = client.provider("host", VCPU={"total": 5, "reserved": 1, "allocation_ratio": 2.0}, MEMORY_MB=memory)
    path = f"/allocations/{new_uuid()}"
    reply = client.ask("PUT", path, claim((provider, resources)))
    assert reply.status_code == 409 and reason in reply.json()["errors"][0]["detail"], reply.text
    assert client.get(path) == {"allocations": {}} and client.generation(provider) == 1
    assert client.status("PUT", path, claim((provider, {"VCPU": 8, "MEMORY_MB": 48}))) == 204


def test_consumer_generations(client: Client) -> None:
    provider = client.provider("host", VCPU=8)
    path = f"/allocations/{new_uuid()}"
    lost = (409, "placement.concurrent_update")
    assert client.fault("PUT", path, claim((provider, {"VCPU": 1}), generation=1)) == lost
    assert client.status("PUT", path, claim((provider, {"VCPU": 1}))) == 204
    assert client.fault("PUT", path, claim((provider, {"VCPU": 2}))) == lost
    assert client.status("PUT", path, claim((provider, {"VCPU": 2}), generation=1)) == 204
    assert client.fault("PUT", path, claim((provider, {"VCPU": 3}), generation=1)) == lost
    assert client.get(f"/resource_providers/{provider}/usages")["usages"] == {"VCPU": 2}
    assert client.status("PUT", path, claim(generation=2)) == 204
    assert client.get(path) == {"allocations": {}}
    assert client.status("PUT", path, claim((provider, {"VCPU": 1}))) == 204


@pytest.mark.parametrize(
    "change",
    [
        {"allocations": []},
        {"allocations": {"here": {"resources": {"VCPU": 1}}}},
        {"allocations": {"3f4b1b7c-7b0e-4b0e-8b0e-000000000000": {"resources": {"VCPU": 1}}}},
        {"project_id": ""},
        {"user_id": None},
        {"consumer_generation": "1"},
        {"consumer_type": "server"},
        {"mappings": {"": []}},
        {"colour": "red"},
    ],
)
def test_bad_allocations(client: Client, change: dict[str, object]) -> None:
    provider = client.provider("host", VCPU=8)
    path = f"/allocations/{new_uuid()}"
    assert client.fault("PUT", path, claim((provider, {"VCPU": 1})) | change)[0] == 400
    for resources in ({}, {"VCPU": 0}, {"VCPU": "1"}, {"UNHEARD": 1}, {"vcpu": 1}):
        assert client.status("PUT", path, claim((provider, resources))) == 400
    assert client.status("PUT", "/allocations/someone", claim((provider, {"VCPU": 1}))) == 400
    assert client.generation(provider) == 1


def test_many_at_once_are_all_or_nothing(client: Client) -> None:
    old, new = client.provider("old", VCPU=4), client.provider("new", VCPU=4)
    server, migration = new_uuid(), new_uuid()
    assert client.status("PUT", f"/allocations/{server}", claim((old, {"VCPU": 4}))) == 204
    moved = {server: claim((new, {"VCPU": 4}), generation=1), migration: claim((old, {"VCPU": 4}), kind="MIGRATION")}
    too_much = moved | {new_uuid(): claim((new, {"VCPU": 1}))}
    assert client.fault("POST", "/allocations", too_much) == (409, "placement.undefined_code")
    assert client.get(f"/allocations/{server}")["allocations"].keys() == {old}
    assert client.status("POST", "/allocations", moved) == 204
    assert client.get(f"/allocations/{server}")["allocations"].keys() == {new}
    assert client.get(f"/allocations/{migration}")["consumer_type"] == "MIGRATION"
    done = {migration: claim(generation=1, kind="MIGRATION")}
    assert client.status("POST", "/allocations", done) == 204
    assert client.get(f"/resource_providers/{old}/usages")["usages"] == {"VCPU": 0}
    assert client.status("POST", "/allocations", {}) == 400
    assert client.status("POST", "/allocations", {"someone": claim()}) == 400
    assert client.status("POST", "/allocations", done, version="1.12") == 404


def test_usages_of_a_project(client: Client) -> None:
    provider = client.provider("host", VCPU=16)
    for project, kind, amount in (
        ("p1", "INSTANCE", 1),
        ("p1", "INSTANCE", 2),
        ("p1", "MIGRATION", 4),
        ("p2", "INSTANCE", 8),
    ):
        body = claim((provider, {"VCPU": amount}), project=project, kind=kind)
        assert client.status("PUT", f"/allocations/{new_uuid()}", body) == 204
    assert client.get("/usages?project_id=p1", version="1.9") == {"usages": {"VCPU": 7}}
    assert client.get("/usages?project_id=p1&user_id=u2", version="1.9") == {"usages": {}}
    instances = {"consumer_count": 2, "VCPU": 3}
    by_type = {"INSTANCE": instances, "MIGRATION": {"consumer_count": 1, "VCPU": 4}}
    assert client.get("/usages?project_id=p1") == {"usages": by_type}
    assert client.get("/usages?project_id=p1&consumer_type=INSTANCE") == {"usages": {"INSTANCE": instances}}
    everything = {"all": {"consumer_count": 3, "VCPU": 7}}
    assert client.get("/usages?project_id=p1&consumer_type=all") == {"usages": everything}
    assert client.fault("GET", "/usages") == (400, "placement.query.missing_value")
    assert client.status("GET", "/usages?project_id=p1&consumer_type=all", version="1.37") == 400
    assert client.ask("GET", "/usages?project_id=p1", who=MEMBER).json() == {"usages": by_type}
    assert client.ask("GET", "/usages?project_id=p2", who=MEMBER).status_code == 403
    assert client.ask("GET", "/usages?project_id=p1", who={"x-auth-token": "p1:guest"}).status_code == 403


def test_the_reshaper_moves_stock_and_what_is_held_of_it(client: Client) -> None:
    root = client.provider("root", VCPU=4, VGPU=2)
    card = client.provider("card", root)
    consumer = new_uuid()
    assert client.status("PUT", f"/allocations/{consumer}", claim((root, {"VCPU": 1, "VGPU": 1}))) == 204
    body = {
        "inventories": {
            root: {"resource_provider_generation": 2, "inventories": {"VCPU": {"total": 4}}},
            card: {"resource_provider_generation": 0, "inventories": {"VGPU": {"total": 2}}},
        },
        "allocations": {consumer: claim((root, {"VCPU": 1}), (card, {"VGPU": 1}), generation=1)},
    }
    stays = body | {"allocations": {}}
    assert client.fault("POST", "/reshaper", stays) == (409, "placement.inventory.inuse")
    assert client.get(f"/resource_providers/{card}/inventories")["inventories"] == {}
    assert client.status("POST", "/reshaper", body, version="1.29") == 404
    assert client.status("POST", "/reshaper", body) == 204
    assert list(client.get(f"/resource_providers/{root}/inventories")["inventories"]) == ["VCPU"]
    assert client.get(f"/resource_providers/{card}/usages")["usages"] == {"VGPU": 1}
    assert client.fault("POST", "/reshaper", body) == (409, "placement.concurrent_update")
    unknown = {"inventories": {new_uuid(): body["inventories"][card]}, "allocations": {}}
    assert client.fault("POST", "/reshaper", unknown) == (400, "placement.resource_provider.not_found")
