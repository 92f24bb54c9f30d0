"""Flavors over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from pileus.compute.manifest import MANIFEST
from pileus.kernel.cloud import Cloud
from tests.compute.api.conftest import Caller

NEW = {"name": "big", "ram": 4096, "vcpus": 2, "disk": 10}


def new(admin: Caller, **more: object) -> str:
    return str(admin.post("/flavors", {"flavor": NEW | more})["flavor"]["id"])


def test_seeds_are_there_once_and_not_put_back(cloud: Cloud, reader: Caller, admin: Caller) -> None:
    shown = {f["name"]: (f["id"], f["ram"], f["disk"], f["vcpus"]) for f in reader.get("/flavors/detail")["flavors"]}
    assert shown["m1.nano"] == ("42", 128, 1, 1)
    assert shown["m1.xlarge"] == ("5", 16384, 160, 8)
    admin.delete("/flavors/5", 202)
    assert MANIFEST.seed is not None
    MANIFEST.seed(cloud)
    reader.refused("GET", "/flavors/5", 404)


def test_life_of_a_flavor(admin: Caller, reader: Caller) -> None:
    flavor_id = new(admin, description="for databases", **{"OS-FLV-EXT-DATA:ephemeral": 3})
    shown = reader.get(f"/flavors/{flavor_id}")["flavor"]
    assert (shown["swap"], shown["rxtx_factor"], shown["OS-FLV-EXT-DATA:ephemeral"]) == (0, 1.0, 3)
    assert shown["description"] == "for databases"
    assert shown["extra_specs"] == {}
    admin.put(f"/flavors/{flavor_id}", {"flavor": {"description": None}})
    assert reader.get(f"/flavors/{flavor_id}")["flavor"]["description"] is None
    admin.delete(f"/flavors/{flavor_id}", 202)
    admin.refused("DELETE", f"/flavors/{flavor_id}", 404)


def test_microversions_show_more(reader: Caller, admin: Caller) -> None:
    first = reader.get("/flavors/42", version="2.1")["flavor"]
    assert first["swap"] == ""
    assert not {"description", "extra_specs"} & set(first)
    assert "extra_specs" not in reader.get("/flavors/42", version="2.60")["flavor"]
    assert reader.get("/flavors", version="2.55")["flavors"][0]["description"] is None
    admin.refused("PUT", "/flavors/42", 404, {"flavor": {"description": "x"}}, version="2.54")
    assert "description" in admin.refused(
        "POST", "/flavors", 400, {"flavor": NEW | {"description": "x"}}, version="2.54"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"ram": 0},
        {"ram": -1},
        {"ram": "much"},
        {"vcpus": 0},
        {"disk": -1},
        {"ram": 2**31},
        {"swap": -1},
        {"name": ""},
        {"name": "  "},
        {"name": "n" * 256},
        {"id": "a/b"},
        {"id": "i" * 256},
        {"rxtx_factor": 0},
        {"colour": "red"},
        {"os-flavor-access:is_public": "maybe"},
    ],
)
def test_bad_flavors(admin: Caller, wrong: dict[str, object]) -> None:
    admin.refused("POST", "/flavors", 400, {"flavor": NEW | wrong})


def test_numbers_may_be_text(admin: Caller) -> None:
    assert admin.post("/flavors", {"flavor": NEW | {"ram": "512", "id": 77}})["flavor"]["ram"] == 512
    assert admin.get("/flavors/77")["flavor"]["name"] == "big"


def test_names_and_ids_are_taken_once(admin: Caller) -> None:
    assert "name m1.tiny" in admin.refused("POST", "/flavors", 409, {"flavor": NEW | {"name": "m1.tiny"}})
    assert "ID 42" in admin.refused("POST", "/flavors", 409, {"flavor": NEW | {"id": "42"}})


def test_only_administrators_change_flavors(member: Caller) -> None:
    member.refused("POST", "/flavors", 403, {"flavor": NEW})
    member.refused("DELETE", "/flavors/42", 403)
    member.refused("POST", "/flavors/42/os-extra_specs", 403, {"extra_specs": {"a": "b"}})
    member.refused("POST", "/flavors/42/action", 403, {"addTenantAccess": {"tenant": "p1"}})


def test_private_flavors(admin: Caller, member: Caller, other: Caller) -> None:
    flavor_id = new(admin, **{"os-flavor-access:is_public": False})
    path = f"/flavors/{flavor_id}"
    member.refused("GET", path, 404)
    member.refused("POST", f"{path}/action", 403, {"addTenantAccess": {"tenant": "p1"}})
    assert admin.get(f"{path}/os-flavor-access") == {"flavor_access": []}
    given = admin.post(f"{path}/action", {"addTenantAccess": {"tenant": "p1"}})
    assert given == {"flavor_access": [{"flavor_id": flavor_id, "tenant_id": "p1"}]}
    member.get(path)
    assert flavor_id in [f["id"] for f in member.get("/flavors")["flavors"]]
    other.refused("GET", path, 404)
    assert flavor_id not in [f["id"] for f in other.get("/flavors?is_public=false")["flavors"]]
    admin.refused("POST", f"{path}/action", 409, {"addTenantAccess": {"tenant": "p1"}})
    assert "nobody" in admin.refused("POST", f"{path}/action", 400, {"addTenantAccess": {"tenant": "nobody"}})
    assert admin.post(f"{path}/action", {"removeTenantAccess": {"tenant": "p1"}}) == {"flavor_access": []}
    admin.refused("POST", f"{path}/action", 404, {"removeTenantAccess": {"tenant": "p1"}})
    member.refused("GET", path, 404)
    admin.refused("GET", "/flavors/42/os-flavor-access", 404)
    admin.refused("POST", "/flavors/42/action", 409, {"addTenantAccess": {"tenant": "p1"}})
    admin.post("/flavors/42/action", {"addTenantAccess": {"tenant": "p1"}}, version="2.6")
    assert [f["id"] for f in admin.get("/flavors?is_public=false")["flavors"]] == [flavor_id]
    assert len(admin.get("/flavors?is_public=none")["flavors"]) == 8
    assert len(admin.get("/flavors")["flavors"]) == 7
    admin.post(f"{path}/action", {"addTenantAccess": {"tenant": "p1"}})
    admin.delete(path, 202)
    assert new(admin, id=flavor_id, **{"os-flavor-access:is_public": False}) == flavor_id
    member.refused("GET", path, 404)


def test_lists_filter_sort_and_page(reader: Caller, queries: Callable[[], Any]) -> None:
    names = [f["name"] for f in reader.get("/flavors?minRam=4096&sort_key=memory_mb")["flavors"]]
    assert names == ["m1.medium", "m1.large", "m1.xlarge"]
    assert len(reader.get("/flavors?minDisk=80")["flavors"]) == 2
    with queries() as seen:
        first = reader.get("/flavors/detail?limit=2")
    assert len(seen) == 1
    assert [f["id"] for f in first["flavors"]] == ["1", "2"]
    link = first["flavors_links"][0]["href"].partition("/v2.1")[2]
    assert [f["id"] for f in reader.get(link)["flavors"]] == ["3", "4"]
    for query in ("minRam=lots", "limit=-1", "limit=x", "marker=none", "sort_key=taste", "sort_dir=up&sort_key=name"):
        reader.refused("GET", f"/flavors?{query}", 400)


def test_unknown_query_names_are_refused_from_2_75_on(reader: Caller) -> None:
    reader.get("/flavors?colour=red", version="2.74")
    assert "colour" in reader.refused("GET", "/flavors?colour=red", 400, version="2.75")


def test_extra_specs(admin: Caller, reader: Caller) -> None:
    path = "/flavors/42/os-extra_specs"
    assert admin.post(path, {"extra_specs": {"hw:cpu_policy": "shared", "mine": 3}}) == {
        "extra_specs": {"hw:cpu_policy": "shared", "mine": "3"}
    }
    assert reader.get(path)["extra_specs"] == {"hw:cpu_policy": "shared", "mine": "3"}
    assert reader.get("/flavors/42")["flavor"]["extra_specs"]["mine"] == "3"
    assert admin.put(f"{path}/mine", {"mine": "4"}) == {"mine": "4"}
    assert reader.get(f"{path}/mine") == {"mine": "4"}
    admin.refused("PUT", f"{path}/mine", 400, {"yours": "4"})
    admin.refused("PUT", f"{path}/mine", 400, {"mine": "4", "yours": "4"})
    admin.delete(f"{path}/mine", 200)
    admin.refused("DELETE", f"{path}/mine", 404)
    reader.refused("GET", f"{path}/mine", 404)
    reader.refused("GET", "/flavors/none/os-extra_specs", 404)


@pytest.mark.parametrize(
    "specs",
    [
        {"hw:cpu_policy": "lazy"},
        {"hw:cpu_polcy": "shared"},
        {"resources:VCPU": "-1"},
        {"trait:HW_CPU_X86_AVX": "perhaps"},
        {"quota:cpu_quota": "x"},
        {"bad/key": "x"},
        {"k": "v" * 256},
        {"k": None},
        {"k": {"a": 1}},
    ],
)
def test_bad_extra_specs(admin: Caller, specs: dict[str, object]) -> None:
    admin.refused("POST", "/flavors/42/os-extra_specs", 400, {"extra_specs": specs})


def test_values_are_checked_from_2_86_on(admin: Caller) -> None:
    admin.post("/flavors/42/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "lazy"}}, version="2.85")
