"""Roles, implications and assignments, and what they come to in a token."""

from typing import Any

import pytest
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from tests.identity.people import Caller, Json, log_in


def role(admin: Caller, name: str, **more: Any) -> str:
    return str(admin.ask("POST", "/roles", {"role": {"name": name, **more}}, status=201)["role"]["id"])


def known(admin: Caller, name: str) -> str:
    return str(admin.ask("GET", f"/roles?name={name}")["roles"][0]["id"])


def user(admin: Caller, name: str = "kim") -> str:
    return str(admin.ask("POST", "/users", {"user": {"name": name, "password": "pw"}}, status=201)["user"]["id"])


def in_token(caller: Caller) -> set[str]:
    return {role["name"] for role in caller.body["roles"]}


def test_life(admin: Caller) -> None:
    made = admin.ask("POST", "/roles", {"role": {"name": "r", "description": "d"}}, status=201)["role"]
    path = f"/roles/{made['id']}"
    assert made["domain_id"] is None
    assert admin.ask("GET", path)["role"] == made
    assert admin.ask("PATCH", path, {"role": {"name": "s"}})["role"]["name"] == "s"
    admin.ask("PATCH", path, {"role": {"name": "admin"}}, status=409)
    admin.ask("POST", "/roles", {"role": {"name": "s"}}, status=409)
    admin.ask("POST", "/roles", {"role": {}}, status=400)
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


def test_the_seeded_chain(admin: Caller) -> None:
    chain = {
        row["prior_role"]["name"]: [implied["name"] for implied in row["implies"]]
        for row in admin.ask("GET", "/role_inferences")["role_inferences"]
    }
    assert chain == {"admin": ["manager"], "manager": ["member"], "member": ["reader"]}


def test_implications(client: TestClient, admin: Caller, demo: Caller) -> None:
    first, second = role(admin, "first"), role(admin, "second")
    path = f"/roles/{first}/implies/{second}"
    admin.ask("HEAD", path, status=404)
    assert admin.ask("PUT", path, status=201)["role_inference"]["implies"]["name"] == "second"
    admin.ask("HEAD", path, status=204)
    assert admin.ask("GET", path)["role_inference"]["prior_role"]["name"] == "first"
    assert [r["id"] for r in admin.ask("GET", f"/roles/{first}/implies")["role_inference"]["implies"]] == [second]
    admin.ask("PUT", f"/roles/{second}/implies/{first}", status=400)
    admin.ask("PUT", f"/roles/{first}/implies/{first}", status=400)
    admin.ask("PUT", f"/roles/{first}/implies/{known(admin, 'admin')}", status=403)
    admin.ask("PUT", f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{first}", status=204)
    assert in_token(log_in(client, "demo", project="demo")) == {"first", "second", "member", "reader"}
    admin.ask("DELETE", path, status=204)
    assert in_token(log_in(client, "demo", project="demo")) == {"first", "member", "reader"}


@pytest.mark.parametrize("where", ["projects/{project}", "domains/default", "system"])
@pytest.mark.parametrize("who", ["users/{user}", "groups/{group}"])
def test_grants(client: TestClient, admin: Caller, where: str, who: str) -> None:
    kim = user(admin)
    group = admin.ask("POST", "/groups", {"group": {"name": "g"}}, status=201)["group"]["id"]
    admin.ask("PUT", f"/groups/{group}/users/{kim}", status=204)
    base = f"/{where}/{who}/roles".format(project=admin.project_id, user=kim, group=group)
    reader = known(admin, "reader")
    scopes: dict[str, Json] = {
        "projects": {"project": "admin"},
        "domains": {"domain": "default"},
        "system": {"system": True},
    }
    assert admin.ask("GET", base)["roles"] == []
    admin.ask("HEAD", f"{base}/{reader}", status=404)
    admin.ask("PUT", f"{base}/{reader}", status=204)
    admin.ask("PUT", f"{base}/{reader}", status=204)
    admin.ask("HEAD", f"{base}/{reader}", status=204)
    admin.ask("GET", f"{base}/{reader}", status=204)
    assert [r["name"] for r in admin.ask("GET", base)["roles"]] == ["reader"]
    caller = log_in(client, "kim", "pw", **scopes[where.partition("/")[0]])
    assert in_token(caller) == {"reader"}
    assert bool(caller.ask("GET", "/auth/system")["system"]) == (where == "system")
    assert bool(caller.ask("GET", "/auth/domains")["domains"]) == where.startswith("domains")
    assert bool(caller.ask("GET", "/auth/projects")["projects"]) == where.startswith("projects")
    admin.ask("DELETE", f"{base}/{reader}", status=204)
    admin.ask("DELETE", f"{base}/{reader}", status=404)
    caller.ask("GET", "/auth/projects", status=401)
    admin.ask("PUT", f"{base}/nothing", status=404)


def test_inherited_roles_hold_below_and_not_there(client: TestClient, admin: Caller) -> None:
    kim, member = user(admin), known(admin, "member")
    top = admin.ask("POST", "/projects", {"project": {"name": "top"}}, status=201)["project"]["id"]
    body = {"project": {"name": "below", "parent_id": top}}
    below = admin.ask("POST", "/projects", body, status=201)["project"]["id"]
    path = f"/OS-INHERIT/projects/{top}/users/{kim}/roles/{member}/inherited_to_projects"
    admin.ask("PUT", path, status=204)
    admin.ask("HEAD", path, status=204)
    caller = log_in(client, "kim", "pw", project="below")
    assert in_token(caller) == {"member", "reader"}
    assert [p["name"] for p in caller.ask("GET", "/auth/projects")["projects"]] == ["below"]
    assert [p["name"] for p in caller.ask("GET", f"/users/{kim}/projects")["projects"]] == ["below"]
    [given] = admin.ask("GET", f"/role_assignments?user.id={kim}")["role_assignments"]
    assert given["scope"] == {"project": {"id": top}, "OS-INHERIT:inherited_to": "projects"}
    effective = admin.ask("GET", f"/role_assignments?user.id={kim}&effective")["role_assignments"]
    assert {row["scope"]["project"]["id"] for row in effective} == {below}
    admin.ask("DELETE", path, status=204)
    caller.ask("GET", "/auth/projects", status=401)


def test_a_domains_own_role_never_reaches_a_token(client: TestClient, admin: Caller, demo: Caller) -> None:
    fake = role(admin, "admin", domain_id="default")
    kim = user(admin)
    path = f"/projects/{demo.project_id}/users/{kim}/roles/"
    admin.ask("PUT", path + fake, status=204)
    admin.ask("PUT", path + known(admin, "reader"), status=204)
    assert in_token(log_in(client, "kim", "pw", project="demo")) == {"reader"}
    assert fake not in {row["id"] for row in admin.ask("GET", "/roles")["roles"]}
    assert [row["id"] for row in admin.ask("GET", "/roles?domain_id=default")["roles"]] == [fake]
    admin.ask("PUT", f"/roles/{known(admin, 'member')}/implies/{fake}", status=403)
    admin.ask("PUT", f"/domains/default/users/{kim}/roles/{fake}", status=204)
    proof = {"methods": ["password"], "password": {"user": {"id": kim, "password": "pw"}}}
    refused = {"auth": {"identity": proof, "scope": {"domain": {"id": "default"}}}}
    assert client.post("/identity/v3/auth/tokens", json=refused).status_code == 401
    other = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"]
    elsewhere = role(admin, "r", domain_id=other)
    admin.ask("PUT", path + elsewhere, status=403)
    admin.ask("PUT", f"/system/users/{kim}/roles/{elsewhere}", status=403)


def assignments(admin: Caller, query: str) -> list[Json]:
    found: list[Json] = admin.ask("GET", f"/role_assignments?{query}")["role_assignments"]
    return found


def test_listing_assignments(admin: Caller, demo: Caller) -> None:
    kim = user(admin)
    member = known(admin, "member")
    group = admin.ask("POST", "/groups", {"group": {"name": "g"}}, status=201)["group"]["id"]
    admin.ask("PUT", f"/groups/{group}/users/{kim}", status=204)
    admin.ask("PUT", f"/projects/{demo.project_id}/groups/{group}/roles/{member}", status=204)
    assert assignments(admin, f"user.id={kim}") == []
    [given] = assignments(admin, f"group.id={group}")
    assert (given["group"], given["role"]) == ({"id": group}, {"id": member})
    effective = assignments(admin, f"user.id={kim}&effective&include_names")
    assert {row["role"]["name"] for row in effective} == {"member", "reader"}
    assert effective[0]["user"] == {"id": kim, "name": "kim", "domain": {"id": "default", "name": "Default"}}
    assert effective[0]["scope"]["project"]["name"] == "demo"
    assert effective[0]["scope"]["project"]["domain"]["name"] == "Default"
    assert "membership" in effective[0]["links"]
    assert len(assignments(admin, f"scope.project.id={demo.project_id}")) == 3
    assert len(assignments(admin, f"scope.project.id={demo.project_id}&role.id={member}")) == 2
    system = assignments(admin, "scope.system=all&include_names=true")
    assert [(row["scope"], row["user"]["name"]) for row in system] == [({"system": {"all": True}}, "admin")]
    assert len(assignments(admin, "scope.domain.id=default")) == 1
    admin.ask("GET", f"/role_assignments?group.id={group}&effective", status=400)
    admin.ask("GET", f"/role_assignments?group.id={group}&user.id={kim}", status=400)
    admin.ask("GET", "/role_assignments?include_subtree", status=400)
    tree = assignments(admin, f"scope.project.id={demo.project_id}&include_subtree")
    assert len(tree) == 3


@pytest.fixture
def crowd(admin: Caller, demo: Caller) -> dict[str, str]:
    """Assignments of every kind: a group of two, inheritance into a tree, implied roles, a domain's own role."""
    ids = {name: known(admin, name) for name in ("member", "reader", "manager")}
    ids |= {name: user(admin, name) for name in ("kim", "lee")}
    ids["group"] = admin.ask("POST", "/groups", {"group": {"name": "g"}}, status=201)["group"]["id"]
    for person in ("kim", "lee"):
        admin.ask("PUT", f"/groups/{ids['group']}/users/{ids[person]}", status=204)
    ids["d"] = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"]
    parent = ids["d"]
    for name in ("top", "below", "bottom"):
        body = {"project": {"name": name, "domain_id": ids["d"], "parent_id": parent}}
        parent = ids[name] = admin.ask("POST", "/projects", body, status=201)["project"]["id"]
    ids["own"] = role(admin, "own", domain_id=ids["d"])
    admin.ask("PUT", f"/roles/{ids['own']}/implies/{ids['reader']}", status=201)
    ids["empty"] = role(admin, "empty", domain_id=ids["d"])
    for path in (
        "/projects/{top}/users/{kim}/roles/{member}",
        "/projects/{bottom}/users/{kim}/roles/{own}",
        "/projects/{below}/users/{kim}/roles/{empty}",
        "/projects/{below}/users/{lee}/roles/{empty}",
        "/domains/{d}/groups/{group}/roles/{reader}",
        "/OS-INHERIT/domains/{d}/groups/{group}/roles/{member}/inherited_to_projects",
        "/OS-INHERIT/projects/{top}/users/{lee}/roles/{manager}/inherited_to_projects",
        "/system/groups/{group}/roles/{reader}",
    ):
        admin.ask("PUT", path.format(**ids), status=204)
    return ids


FILTERS = (
    "",
    "effective",
    "include_names&effective",
    "scope.project.id={top}",
    "scope.project.id={top}&include_subtree=true",
    "scope.project.id={top}&include_subtree&effective",
    "scope.project.id={bottom}&effective",
    "scope.domain.id={d}",
    "scope.domain.id={d}&scope.OS-INHERIT:inherited_to=projects",
    "scope.OS-INHERIT:inherited_to=projects&effective",
    "scope.system=all&effective",
    "user.id={kim}&effective",
    "role.id={reader}&effective",
    "role.id={own}&effective",
    "role.id={reader}",
    "group.id={group}&include_names=1",
)


@pytest.mark.parametrize("query", FILTERS)
def test_pages_are_the_whole_list(admin: Caller, crowd: Json, query: str) -> None:
    query = query.format(**crowd)
    whole = assignments(admin, query)
    assert whole or "{own}" in query or "role.id" in query
    for limit in (1, 2, 3, 100):
        found, path = [], f"/role_assignments?{query}&limit={limit}"
        for _ in range(len(whole) + 10):
            page = admin.ask("GET", path)
            assert len(page["role_assignments"]) <= limit
            found += page["role_assignments"]
            if page["links"]["next"] is None:
                break
            path = page["links"]["next"].partition("/v3")[2]
        assert found == whole, (query, limit)


def test_bad_pages(admin: Caller) -> None:
    for query in ("limit=x", "limit=-1", "limit=9999999999", "marker=x", "marker=a,b", "limit=1&marker=,,,,,"):
        admin.ask("GET", f"/role_assignments?{query}", status=400)
    assert admin.ask("GET", "/role_assignments?limit=0")["role_assignments"] == []


def summary(rows: list[Json]) -> set[tuple[str, str, str, bool]]:
    """Names of actor, target, role; and whether it was inherited."""
    found = set()
    for row in rows:
        who = (row.get("user") or row["group"])["name"]
        where = row["scope"].get("project") or row["scope"].get("domain") or {"name": "system"}
        found.add((who, where["name"], row["role"]["name"], "OS-INHERIT:inherited_to" in row["scope"]))
    return found


def test_what_is_effective(admin: Caller, crowd: Json) -> None:
    def names(query: str) -> set[tuple[str, str, str, bool]]:
        return summary(assignments(admin, (query + "&effective&include_names").format(**crowd)))

    assert names("user.id={kim}") == {
        ("kim", "top", "member", False),
        ("kim", "top", "reader", False),
        ("kim", "bottom", "reader", False),
        ("kim", "d", "reader", False),
        ("kim", "system", "reader", False),
        *(("kim", project, name, True) for project in ("top", "below", "bottom") for name in ("member", "reader")),
    }
    assert names("user.id={lee}&scope.project.id={bottom}") == {
        ("lee", "bottom", name, True) for name in ("manager", "member", "reader")
    }
    assert names("scope.project.id={below}&role.id={manager}") == {("lee", "below", "manager", True)}
    assert names("scope.domain.id={d}") == {("kim", "d", "reader", False), ("lee", "d", "reader", False)}
    assert {row[1] for row in names("scope.project.id={top}&include_subtree")} == {"top", "below", "bottom"}
    assert {row[1] for row in names("scope.project.id={below}&include_subtree")} == {"below", "bottom"}
    assert names("role.id={own}") == set()


def test_a_domains_reader_sees_what_is_given_there(client: TestClient, admin: Caller, crowd: Json) -> None:
    admin.ask("PUT", f"/domains/{crowd['d']}/users/{user(admin, 'seer')}/roles/{crowd['reader']}", status=204)
    seer = log_in(client, "seer", "pw", domain=crowd["d"])
    inside = {"d", "top", "below", "bottom"}
    for query in ("include_names", "include_names&effective"):
        assert {row[1] for row in summary(assignments(seer, query))} == inside


@pytest.mark.parametrize("query", ["", "effective", "include_names", "user.id=x", "scope.project.id=x&effective"])
def test_a_page_is_one_query(cloud: Cloud, admin: Caller, crowd: Json, query: str) -> None:
    """Besides: the roles and what they imply, the names of domains where names are wanted, and the caller's token."""
    assignments(admin, query)
    reads: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        reads.extend([statement] if "role_assignments" in statement else [])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assignments(admin, f"{query}&limit=2")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len([statement for statement in reads if "token_epoch" not in statement]) == 1
