"""Registered limits, limits, the enforcement models, and the limits of other services that come from them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from pileus.identity.catalog import builtin
from pileus.identity.limits.enforcement import MODELS
from pileus.identity.limits.unified import UnifiedLimits
from pileus.identity.manifest import MANIFEST
from pileus.identity.settings import IdentitySettings
from pileus.kernel import quotas
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Forbidden
from pileus.kernel.quotas import Projects, Quotas
from tests.cloud import cloud_of
from tests.identity.people import Caller, Json, log_in

SERVICE = builtin.service_id("identity")
R, L = "/registered_limits", "/limits"


def registered(admin: Caller, name: str = "cores", amount: int = 10, status: int = 201, **more: object) -> Json:
    row = {"service_id": SERVICE, "resource_name": name, "default_limit": amount, **more}
    reply = admin.ask("POST", R, {"registered_limits": [row]}, status=status)
    return reply["registered_limits"][0] if status == 201 else {}


def limit(admin: Caller, amount: int, status: int = 201, name: str = "cores", **of: object) -> Json:
    row = {"service_id": SERVICE, "resource_name": name, "resource_limit": amount, **of}
    reply = admin.ask("POST", L, {"limits": [row]}, status=status)
    return reply["limits"][0] if status == 201 else {}


def project(admin: Caller, name: str, parent: str = "default", domain: str = "default") -> str:
    body = {"project": {"name": name, "parent_id": parent, "domain_id": domain}}
    return str(admin.ask("POST", "/projects", body, status=201)["project"]["id"])


def test_life_of_a_registered_limit(admin: Caller, demo: Caller) -> None:
    made = registered(admin, description="d")
    assert {name: made[name] for name in ("region_id", "default_limit", "description")} == {
        "region_id": None,
        "default_limit": 10,
        "description": "d",
    }
    path = f"{R}/{made['id']}"
    assert made["links"]["self"].endswith(path)
    assert demo.ask("GET", path)["registered_limit"] == made
    changed = {"default_limit": -1, "resource_name": "ram", "region_id": "RegionOne"}
    shown = admin.ask("PATCH", path, {"registered_limit": changed})["registered_limit"]
    assert {name: shown[name] for name in changed} == changed
    assert demo.ask("GET", path)["registered_limit"] == shown
    demo.ask("PATCH", path, {"registered_limit": {"default_limit": 5}}, status=403)
    demo.ask("DELETE", path, status=403)
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)
    demo.ask("DELETE", path, status=403)


def test_registered_limits_are_listed_by_page_and_filter(admin: Caller, demo: Caller) -> None:
    for name in ("c", "a", "b"):
        registered(admin, name)
    registered(admin, "a", region_id="RegionOne")

    def names(query: str) -> list[str]:
        return [row["resource_name"] for row in demo.ask("GET", f"{R}?{query}")["registered_limits"]]

    assert names("") == ["a", "a", "b", "c"]
    assert names("resource_name=b") == ["b"]
    assert names("region_id=RegionOne") == ["a"]
    assert names(f"service_id={SERVICE}") == ["a", "a", "b", "c"]
    assert names("service_id=other") == []
    page = demo.ask("GET", f"{R}?limit=3")
    assert len(page["registered_limits"]) == 3
    last = page["registered_limits"][-1]["id"]
    assert f"marker={last}" in page["links"]["next"]
    assert names(f"limit=3&marker={last}") == ["c"]


def test_the_same_is_registered_once(admin: Caller) -> None:
    first = registered(admin)
    registered(admin, status=409)
    registered(admin, region_id="RegionOne")
    registered(admin, region_id="RegionOne", status=409)
    registered(admin, "Cores")
    other = registered(admin, "ram")
    path = f"{R}/{other['id']}"
    admin.ask("PATCH", path, {"registered_limit": {"resource_name": "cores"}}, status=409)
    assert admin.ask("GET", path)["registered_limit"]["resource_name"] == "ram"
    same = {"resource_name": "cores", "region_id": None, "service_id": SERVICE, "default_limit": 3}
    assert (
        admin.ask("PATCH", f"{R}/{first['id']}", {"registered_limit": same})["registered_limit"]["default_limit"] == 3
    )


def test_a_batch_is_all_or_nothing(admin: Caller) -> None:
    rows = [{"service_id": SERVICE, "resource_name": name, "default_limit": 1} for name in ("a", "b", "a")]
    admin.ask("POST", R, {"registered_limits": rows}, status=409)
    assert admin.ask("GET", R)["registered_limits"] == []
    assert len(admin.ask("POST", R, {"registered_limits": rows[:2]}, status=201)["registered_limits"]) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"default_limit": -2},
        {"default_limit": 2**31},
        {"default_limit": "5"},
        {"default_limit": None},
        {"resource_name": ""},
        {"resource_name": "x" * 256},
        {"service_id": "nothing"},
        {"region_id": "nowhere"},
        {"colour": "red"},
    ],
)
def test_bad_registered_limits(admin: Caller, wrong: Json) -> None:
    body = {"service_id": SERVICE, "resource_name": "cores", "default_limit": 2**31 - 1}
    admin.ask("POST", R, {"registered_limits": [body | wrong]}, status=400)
    admin.ask("POST", R, {"registered_limits": []}, status=400)
    path = f"{R}/{admin.ask('POST', R, {'registered_limits': [body]}, status=201)['registered_limits'][0]['id']}"
    admin.ask("PATCH", path, {"registered_limit": wrong}, status=400)
    assert admin.ask("GET", path)["registered_limit"]["default_limit"] == 2**31 - 1


def test_what_limits_depend_on_stays(admin: Caller, demo: Caller) -> None:
    service = admin.ask("POST", "/services", {"service": {"type": "t"}}, status=201)["service"]["id"]
    admin.ask("PUT", "/regions/two", {"region": {}}, status=201)
    path = f"{R}/{registered(admin, service_id=service, region_id='two')['id']}"
    made = limit(admin, 5, service_id=service, region_id="two", project_id=demo.project_id)
    for change in ({"resource_name": "ram"}, {"region_id": None}, {"service_id": SERVICE}):
        admin.ask("PATCH", path, {"registered_limit": change}, status=403)
    admin.ask("PATCH", path, {"registered_limit": {"default_limit": 1, "resource_name": "cores"}})
    admin.ask("DELETE", path, status=403)
    admin.ask("DELETE", f"/services/{service}", status=204)
    admin.ask("DELETE", "/regions/two", status=204)
    assert admin.ask("GET", path)["registered_limit"]["service_id"] == service, "limits outlive what they name"
    admin.ask("DELETE", f"{L}/{made['id']}", status=204)
    admin.ask("DELETE", path, status=204)


def test_life_of_a_limit(admin: Caller, demo: Caller) -> None:
    registered(admin)
    made = limit(admin, 5, project_id=demo.project_id)
    path = f"{L}/{made['id']}"
    assert made == {
        "id": made["id"],
        "project_id": demo.project_id,
        "domain_id": None,
        "service_id": SERVICE,
        "region_id": None,
        "resource_name": "cores",
        "resource_limit": 5,
        "description": None,
        "links": {"self": made["links"]["self"]},
    }
    assert admin.ask("GET", path)["limit"] == made
    body = {"limit": {"resource_limit": 50, "description": "more"}}
    assert admin.ask("PATCH", path, body)["limit"] == made | body["limit"]
    for wrong in ({"resource_limit": -2}, {"project_id": "x"}, {"resource_name": "ram"}):
        admin.ask("PATCH", path, {"limit": wrong}, status=400)
    demo.ask("PATCH", path, body, status=403)
    demo.ask("DELETE", path, status=403)
    limit(demo, 1, 403, project_id=demo.project_id)
    limit(admin, 6, 409, project_id=demo.project_id)
    limit(admin, 6, 403, "unregistered", project_id=demo.project_id)
    limit(admin, 6, 403, project_id=demo.project_id, region_id="RegionOne")
    for of in ({}, {"project_id": "x"}, {"domain_id": "x"}, {"project_id": "default"}, {"domain_id": demo.project_id}):
        limit(admin, 6, 400, **of)
    limit(admin, 6, 400, project_id=demo.project_id, domain_id="default")
    assert limit(admin, -1, domain_id="default")["domain_id"] == "default"
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


def test_a_limit_ends_with_its_project(admin: Caller) -> None:
    registered(admin)
    made = project(admin, "short-lived")
    limit(admin, 5, project_id=made)
    admin.ask("DELETE", f"/projects/{made}", status=204)
    assert admin.ask("GET", L)["limits"] == []


@pytest.fixture
def world(admin: Caller, demo: Caller) -> Json:
    """Limits of demo, of another project in its domain, of that domain, and of another domain and its project; ids by name."""
    other = admin.ask("POST", "/domains", {"domain": {"name": "other"}}, status=201)["domain"]["id"]
    registered(admin, "cores")
    registered(admin, "ram", region_id="RegionOne")
    holders = {
        "demo": {"project_id": demo.project_id},
        "beside": {"project_id": project(admin, "beside")},
        "default": {"domain_id": "default"},
        "other": {"domain_id": other},
        "inside": {"project_id": project(admin, "inside", other, other)},
    }
    ids = {name: limit(admin, 5, **of)["id"] for name, of in holders.items()}
    ids["ram"] = limit(admin, 5, name="ram", region_id="RegionOne", **holders["beside"])["id"]
    return {"ids": ids, "holders": holders}


def seen(caller: Caller, world: Json, query: str = "") -> set[str]:
    names = {identifier: name for name, identifier in world["ids"].items()}
    return {names[row["id"]] for row in caller.ask("GET", f"{L}?{query}")["limits"]}


def test_everyone_sees_their_own_limits(client: TestClient, admin: Caller, demo: Caller, world: Json) -> None:
    everything = set(world["ids"])
    role = next(row["id"] for row in admin.ask("GET", "/roles?name=reader")["roles"])
    body = {"user": {"name": "reader", "password": "pw"}}
    user = admin.ask("POST", "/users", body, status=201)["user"]["id"]
    for place in ("domains/default", "system"):
        admin.ask("PUT", f"/{place}/users/{user}/roles/{role}", status=204)
    callers: tuple[tuple[Caller, set[str]], ...] = (
        (admin, everything),
        (log_in(client, "reader", "pw", system=True), everything),
        (log_in(client, "reader", "pw", domain="default"), {"default", "demo", "beside", "ram"}),
        (log_in(client, "reader", "pw", unscoped=True), set()),
        (demo, {"demo"}),
    )
    for caller, expected in callers:
        assert seen(caller, world) == expected
        for name, identifier in world["ids"].items():
            caller.ask("GET", f"{L}/{identifier}", status=200 if name in expected else 403)
    demo.ask("GET", f"{L}/nothing", status=403)
    assert seen(demo, world, f"project_id={world['holders']['beside']['project_id']}") == set()


def test_limits_are_listed_by_page_and_filter(admin: Caller, world: Json) -> None:
    beside = world["holders"]["beside"]["project_id"]
    assert seen(admin, world, f"project_id={beside}") == {"beside", "ram"}
    assert seen(admin, world, f"domain_id={beside}") == seen(admin, world, "project_id=default") == set()
    assert seen(admin, world, "domain_id=default") == {"default"}
    assert seen(admin, world, "resource_name=ram") == seen(admin, world, "region_id=RegionOne") == {"ram"}
    assert seen(admin, world, f"service_id={SERVICE}") == set(world["ids"])
    found: list[str] = []
    for _ in range(3):
        after = f"&marker={found[-1]}" if found else ""
        found += [row["id"] for row in admin.ask("GET", f"{L}?limit=2{after}")["limits"]]
    assert sorted(found) == sorted(world["ids"].values())


def model(cloud: Cloud, name: str) -> None:
    """The cloud is as if it had been started with that model."""
    old = cloud.settings(IdentitySettings)
    settings = msgspec.structs.replace(old, limit_enforcement=name)
    cloud.config.sections["identity"] = settings
    cloud.config._by_type[IdentitySettings] = settings


def test_the_model_is_told(cloud: Cloud, demo: Caller) -> None:
    for name in ("flat", "strict_two_level"):
        model(cloud, name)
        shown = demo.ask("GET", f"{L}/model")["model"]
        assert shown["name"] == name
        assert shown["description"]
        assert demo.client.head(f"/identity/v3{L}/model", headers={"x-auth-token": demo.token}).status_code == 200


@pytest.fixture
def tree(admin: Caller) -> dict[str, str]:
    """alpha, and below it beta and gamma."""
    alpha = project(admin, "alpha")
    return {"alpha": alpha, "beta": project(admin, "beta", alpha), "gamma": project(admin, "gamma", alpha)}


def test_flat_limits_know_no_tree(admin: Caller, tree: dict[str, str]) -> None:
    registered(admin)
    limit(admin, 5, project_id=tree["alpha"])
    limit(admin, -1, project_id=tree["beta"])


def test_strict_limits_bound_those_below(cloud: Cloud, admin: Caller, tree: dict[str, str]) -> None:
    model(cloud, "strict_two_level")
    registered(admin)
    limit(admin, 11, 403, project_id=tree["beta"])  # alpha has the default
    limit(admin, -1, 403, project_id=tree["beta"])
    beta = limit(admin, 10, project_id=tree["beta"])
    limit(admin, 9, 403, project_id=tree["alpha"])
    alpha = limit(admin, 20, project_id=tree["alpha"])  # nothing is over it: the domain has no limit
    limit(admin, 21, 403, project_id=tree["gamma"])
    limit(admin, 20, project_id=tree["gamma"])  # sums are a matter of enforcement
    for row, amount, status in ((beta, 20, 200), (beta, 21, 403), (alpha, 19, 403), (alpha, -1, 200), (beta, -1, 200)):
        admin.ask("PATCH", f"{L}/{row['id']}", {"limit": {"resource_limit": amount}}, status=status)
    assert admin.ask("GET", f"{L}/{alpha['id']}")["limit"]["resource_limit"] == -1
    limit(admin, 100, 403, domain_id="default")  # alpha has any number
    admin.ask("PATCH", f"{L}/{beta['id']}", {"limit": {"resource_limit": 4}})
    admin.ask("PATCH", f"{L}/{alpha['id']}", {"limit": {"resource_limit": 40}})
    limit(admin, 39, 403, domain_id="default")
    limit(admin, 40, domain_id="default")
    admin.ask("PATCH", f"{L}/{alpha['id']}", {"limit": {"resource_limit": 41}}, status=403)


def test_strict_limits_of_one_request_stand_together(cloud: Cloud, admin: Caller, tree: dict[str, str]) -> None:
    model(cloud, "strict_two_level")
    registered(admin)

    def ask(status: int, **amounts: int) -> None:
        rows = [
            {"service_id": SERVICE, "resource_name": "cores", "resource_limit": amount, "project_id": tree[name]}
            for name, amount in amounts.items()
        ]
        admin.ask("POST", L, {"limits": rows}, status=status)

    ask(403, beta=31, alpha=30)
    assert admin.ask("GET", L)["limits"] == []
    ask(201, beta=30, alpha=30)


QUOTAS = Quotas("identity", {"cpus": "cores"})
DEFAULTS = {"cpus": 2, "ram": 3, "disks": 4}


@pytest.fixture
def unified(cloud: Cloud) -> Iterator[UnifiedLimits]:
    source = UnifiedLimits("RegionOne", MODELS["flat"])
    quotas.use(cloud.db, source)
    yield source


def effective(cloud: Cloud, project_id: str) -> dict[str, int]:
    with cloud.db.reading() as db:
        return quotas.limits(db, QUOTAS, project_id, DEFAULTS)


def test_services_take_their_limits_from_identity(cloud: Cloud, admin: Caller, demo: Caller, unified: object) -> None:
    assert effective(cloud, demo.project_id) == DEFAULTS  # nothing is registered
    registered(admin, "cores", 10)
    registered(admin, "ram", 20)
    registered(admin, "ram", 30, region_id="RegionOne")
    admin.ask("PUT", "/regions/two", {"region": {}}, status=201)
    registered(admin, "disks", 1, region_id="two")
    registered(admin, "unknown", 1)
    assert effective(cloud, demo.project_id) == {"cpus": 10, "ram": 30, "disks": 4}
    limit(admin, 7, project_id=demo.project_id)
    limit(admin, 8, project_id=admin.project_id)
    limit(admin, 9, name="ram", project_id=demo.project_id)  # of other regions
    limit(admin, 0, domain_id="default")
    assert effective(cloud, demo.project_id) == {"cpus": 7, "ram": 30, "disks": 4}
    limit(admin, 6, name="ram", project_id=demo.project_id, region_id="RegionOne")
    assert effective(cloud, demo.project_id) == {"cpus": 7, "ram": 6, "disks": 4}
    with cloud.db.writing() as db:
        source = quotas.source_of(db)
        assert source.projects(db, QUOTAS) == sorted([demo.project_id, admin.project_id])
        with pytest.raises(Forbidden):
            source.set(db, QUOTAS, demo.project_id, {"cpus": 100})
        with pytest.raises(Forbidden):
            source.reset(db, QUOTAS, demo.project_id)


def members(db: Session, projects: Projects) -> Sequence[str]:
    return db.scalars(projects).all() if isinstance(projects, Select) else projects


def bounds(cloud: Cloud, project_id: str) -> list[tuple[set[str], int | None]]:
    """Who shares, and how many cores they may have."""
    with cloud.db.reading() as db:
        found: list[tuple[set[str], int | None]] = []
        for bound in quotas.bounds(db, QUOTAS, project_id, {"cpus": 2}):
            found.append((set(members(db, bound.projects)), bound.limits.get("cpus")))
        return found


def test_strict_limits_bound_the_tree(cloud: Cloud, admin: Caller, tree: dict[str, str]) -> None:
    quotas.use(cloud.db, UnifiedLimits("RegionOne", MODELS["strict_two_level"]))
    model(cloud, "strict_two_level")
    registered(admin)
    alpha, beta, gamma = tree.values()
    family = {alpha, beta, gamma}
    assert [found[1] for found in bounds(cloud, beta)] == [10, 10]
    made = limit(admin, 6, project_id=alpha)
    assert bounds(cloud, beta) == [({beta}, 6), (family, 6)]
    assert bounds(cloud, alpha) == [(family, 6)]
    admin.ask("PATCH", f"{L}/{made['id']}", {"limit": {"resource_limit": 20}})
    limit(admin, 12, project_id=beta)
    assert bounds(cloud, beta) == [({beta}, 12), (family, 20)]
    assert bounds(cloud, gamma) == [({gamma}, 10), (family, 20)]
    limit(admin, 20, domain_id="default")
    everyone, most = bounds(cloud, gamma)[2]
    assert most == 20
    assert family | {admin.project_id} < everyone


def test_strict_limits_are_enforced_on_what_the_tree_uses(cloud: Cloud, admin: Caller, tree: dict[str, str]) -> None:
    quotas.use(cloud.db, UnifiedLimits("RegionOne", MODELS["strict_two_level"]))
    registered(admin)
    limit(admin, 20, project_id=tree["alpha"])
    held = {tree["alpha"]: 4, tree["beta"]: 8, tree["gamma"]: 7}
    with cloud.db.reading() as db:

        def usage(projects: Projects) -> dict[str, int]:
            return {"cpus": sum(held.get(identifier, 0) for identifier in members(db, projects))}

        def asks(name: str, amount: int) -> None:
            quotas.enforce(quotas.bounds(db, QUOTAS, tree[name], {"cpus": 2}), usage, {"cpus": amount})

        asks("gamma", 1)
        held[tree["gamma"]] = 8
        for name in tree:
            with pytest.raises(quotas.Exceeded, match="used 20, limit 20"):
                asks(name, 1)
        held[tree["alpha"]] = 0
        asks("gamma", 2)
        with pytest.raises(quotas.Exceeded, match="used 8, limit 10"):
            asks("gamma", 3)


def test_the_configuration_chooses_the_source(tmp_path: Path) -> None:
    for name, kind in (("stored", quotas.StoredLimits), ("unified", UnifiedLimits)):
        with cloud_of(tmp_path, MANIFEST, overrides={"quotas": name}) as cloud, cloud.db.reading() as db:
            assert isinstance(quotas.source_of(db), kind)


def test_the_strict_model_has_two_levels_of_projects(cloud: Cloud, admin: Caller, tree: dict[str, str]) -> None:
    body = {"project": {"name": "deep", "parent_id": tree["beta"]}}
    model(cloud, "strict_two_level")
    admin.ask("POST", "/projects", body, status=403)
    model(cloud, "flat")
    admin.ask("POST", "/projects", body, status=201)


def test_projects_show_the_limits_of_their_families(admin: Caller, tree: dict[str, str]) -> None:
    registered(admin)
    made = {name: limit(admin, 5, project_id=tree[name]) for name in ("alpha", "beta")}
    role = next(row["id"] for row in admin.ask("GET", "/roles?name=reader")["roles"])
    for identifier in tree.values():
        admin.ask("PUT", f"/projects/{identifier}/users/{admin.user_id}/roles/{role}", status=204)
    shown = admin.ask("GET", f"/projects/{tree['alpha']}?subtree_as_list&include_limits")["project"]["subtree"]
    assert {row["project"]["name"]: row["project"]["limits"] for row in shown} == {"beta": [made["beta"]], "gamma": []}
    path = f"/projects/{tree['beta']}?parents_as_list"
    [above, *_] = admin.ask("GET", f"{path}&include_limits")["project"]["parents"]
    assert above["project"]["limits"] == [made["alpha"]]
    assert "limits" not in admin.ask("GET", path)["project"]["parents"][0]["project"]
