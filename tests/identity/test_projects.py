"""Projects, domains and tags."""

from typing import Any

import pytest

from tests.identity.people import Caller, Json


def make(admin: Caller, name: str = "p", **more: Any) -> Json:
    made: Json = admin.ask("POST", "/projects", {"project": {"name": name, **more}}, status=201)["project"]
    return made


def domain(admin: Caller, name: str = "d", **more: Any) -> Json:
    made: Json = admin.ask("POST", "/domains", {"domain": {"name": name, **more}}, status=201)["domain"]
    return made


def listed(admin: Caller, query: str = "") -> list[str]:
    return [row["name"] for row in admin.ask("GET", f"/projects{query}")["projects"]]


def test_life(admin: Caller) -> None:
    made = make(admin, description="d", colour="red")
    expected = {
        "name": "p",
        "domain_id": "default",
        "parent_id": "default",
        "description": "d",
        "enabled": True,
        "is_domain": False,
        "tags": [],
        "options": {},
        "colour": "red",
    }
    assert made.items() >= expected.items()
    assert made["links"]["self"].endswith(f"/identity/v3/projects/{made['id']}")
    path = f"/projects/{made['id']}"
    assert admin.ask("GET", path)["project"] == made
    changed = admin.ask("PATCH", path, {"project": {"name": "q", "description": None, "shape": "round"}})["project"]
    assert changed == made | {"name": "q", "description": "", "shape": "round"}
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"project": {}}, 400),
        ({}, 400),
        ({"project": {"name": ""}}, 400),
        ({"project": {"name": "  "}}, 400),
        ({"project": {"name": "x" * 65}}, 400),
        ({"project": {"name": "x", "enabled": "False"}}, 400),
        ({"project": {"name": "x", "enabled": 0}}, 400),
        ({"project": {"name": "x", "domain_id": "nowhere"}}, 404),
        ({"project": {"name": "x", "parent_id": "nowhere"}}, 400),
        ({"project": {"name": "x", "is_domain": True, "parent_id": "default"}}, 400),
        ({"project": {"name": "x", "tags": ["a,b"]}}, 400),
        ({"project": {"name": "x", "options": {"immutible": True}}}, 400),
        ({"project": {"name": "demo"}}, 409),
        ({"project": {"name": "x"}, "extra": 1}, 400),
    ],
)
def test_bad_bodies_change_nothing(admin: Caller, body: Json, status: int) -> None:
    before = listed(admin)
    reply = admin.ask("POST", "/projects", body, status=status)
    assert reply["error"]["code"] == status
    assert len(reply["error"]["message"]) > 10
    assert listed(admin) == before


def test_filters_sorting_and_paging(admin: Caller) -> None:
    other = domain(admin)
    make(admin, "b", tags=["x", "y"])
    make(admin, "a", tags=["x"], enabled=False)
    make(admin, "c", domain_id=other["id"])
    assert listed(admin) == ["a", "admin", "b", "c", "demo", "service"]
    assert listed(admin, f"?domain_id={other['id']}") == ["c"]
    assert listed(admin, "?name=b") == ["b"]
    assert listed(admin, "?name__icontains=EM") == ["demo"]
    assert listed(admin, "?enabled=false") == ["a"]
    assert listed(admin, "?tags=x,y") == ["b"]
    assert listed(admin, "?tags-any=x,y") == ["a", "b"]
    assert listed(admin, "?not-tags=x,y&enabled=true") == ["admin", "c", "demo", "service"]
    assert listed(admin, "?not-tags-any=y") == ["a", "admin", "c", "demo", "service"]
    assert listed(admin, "?is_domain=true") == ["Default", "d"]
    assert listed(admin, "?parent_id=default&sort_key=name&sort_dir=desc&limit=2") == ["service", "demo"]
    page = admin.ask("GET", "/projects?limit=4")
    assert page["links"]["next"].startswith("http://127.0.0.1:8780/identity/v3/projects?limit=4&marker=")
    rest = admin.ask("GET", "/projects?" + page["links"]["next"].partition("?")[2])
    assert [p["name"] for p in page["projects"] + rest["projects"]] == listed(admin)
    assert rest["links"]["next"] is None
    admin.ask("GET", "/projects?marker=nothing", status=400)
    admin.ask("GET", "/projects?limit=-1", status=400)
    admin.ask("GET", "/projects?enabled=perhaps", status=400)


def test_a_tree(admin: Caller) -> None:
    top = make(admin, "top")
    middle = make(admin, "middle", parent_id=top["id"])
    leaf = make(admin, "leaf", parent_id=middle["id"])
    assert leaf["domain_id"] == "default"
    path = f"/projects/{top['id']}"
    assert admin.ask("GET", path + "?subtree_as_ids")["project"]["subtree"] == {middle["id"]: {leaf["id"]: None}}
    ids = admin.ask("GET", f"/projects/{leaf['id']}?parents_as_ids")["project"]["parents"]
    assert ids == {middle["id"]: {top["id"]: {"default": None}}}
    assert admin.ask("GET", path + "?subtree_as_list")["project"]["subtree"] == []
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("PUT", f"/projects/{leaf['id']}/users/{admin.user_id}/roles/{member}", status=204)
    [seen] = admin.ask("GET", path + "?subtree_as_list")["project"]["subtree"]
    assert seen["project"]["id"] == leaf["id"]
    admin.ask("GET", path + "?subtree_as_list&subtree_as_ids", status=400)
    admin.ask("DELETE", path, status=403)
    admin.ask("PATCH", path, {"project": {"enabled": False}}, status=403)
    admin.ask("PATCH", path, {"project": {"parent_id": leaf["id"]}}, status=403)
    admin.ask("PATCH", path, {"project": {"domain_id": "elsewhere"}}, status=400)
    for project in (leaf, middle, top):
        admin.ask("PATCH", f"/projects/{project['id']}", {"project": {"enabled": False}})
    admin.ask("PATCH", f"/projects/{leaf['id']}", {"project": {"enabled": True}}, status=403)


def test_depth_has_a_limit(admin: Caller) -> None:
    parent = "default"
    for level in range(5):
        parent = make(admin, f"level{level}", parent_id=parent)["id"]
    admin.ask("POST", "/projects", {"project": {"name": "deep", "parent_id": parent}}, status=403)


def test_immutable(admin: Caller) -> None:
    made = make(admin, options={"immutable": True})
    path = f"/projects/{made['id']}"
    admin.ask("DELETE", path, status=403)
    admin.ask("PATCH", path, {"project": {"name": "q"}}, status=403)
    admin.ask("PATCH", path, {"project": {"options": {"immutable": False}}})
    admin.ask("DELETE", path, status=204)


def test_tags(admin: Caller, demo: Caller) -> None:
    path = f"/projects/{demo.project_id}/tags"
    assert admin.ask("PUT", path, {"tags": ["b", "a", "b"]})["tags"] == ["a", "b"]
    assert demo.ask("GET", path)["tags"] == ["a", "b"]
    demo.ask("PUT", path, {"tags": []}, status=403)
    demo.ask("PUT", path + "/mine", status=403)
    admin.ask("PUT", path + "/c", status=201)
    demo.ask("GET", path + "/c", status=204)
    demo.ask("GET", path + "/d", status=404)
    admin.ask("PUT", path + "/a,b", status=400)
    admin.ask("PUT", path, {"tags": ["x" * 256]}, status=400)
    admin.ask("PUT", path, {"tags": [f"t{i}" for i in range(81)]}, status=400)
    admin.ask("DELETE", path + "/c", status=204)
    admin.ask("DELETE", path, status=204)
    assert demo.ask("GET", path)["tags"] == []


def test_a_domain_and_all_in_it(admin: Caller) -> None:
    made = domain(admin, description="about")
    identifier = made["id"]
    assert admin.ask("GET", f"/domains/{identifier}")["domain"] == made
    assert [d["name"] for d in admin.ask("GET", "/domains?name=d")["domains"]] == ["d"]
    admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=409)
    top = make(admin, "top", domain_id=identifier)
    make(admin, "below", parent_id=top["id"])
    user = admin.ask("POST", "/users", {"user": {"name": "u", "domain_id": identifier}}, status=201)["user"]["id"]
    group = admin.ask("POST", "/groups", {"group": {"name": "g", "domain_id": identifier}}, status=201)["group"]["id"]
    role = admin.ask("POST", "/roles", {"role": {"name": "r", "domain_id": identifier}}, status=201)["role"]["id"]
    admin.ask("PUT", f"/groups/{group}/users/{user}", status=204)
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("PUT", f"/projects/{top['id']}/groups/{group}/roles/{member}", status=204)
    admin.ask("DELETE", f"/domains/{identifier}", status=403)
    admin.ask("PATCH", f"/domains/{identifier}", {"domain": {"enabled": False}})
    admin.ask("DELETE", f"/domains/{identifier}", status=204)
    for path in (
        f"/domains/{identifier}",
        f"/projects/{top['id']}",
        f"/users/{user}",
        f"/groups/{group}",
        f"/roles/{role}",
    ):
        admin.ask("GET", path, status=404)
    left = admin.ask("GET", f"/role_assignments?role.id={member}")["role_assignments"]
    assert len(left) == 1


def test_a_domain_with_a_chosen_id(admin: Caller) -> None:
    chosen = {"name": "d", "explicit_domain_id": "my-domain"}
    assert admin.ask("POST", "/domains", {"domain": chosen}, status=201)["domain"]["id"] == "my-domain"
    admin.ask("POST", "/domains", {"domain": chosen | {"name": "e"}}, status=409)
    admin.ask("POST", "/domains", {"domain": {"name": "f", "explicit_domain_id": "../x"}}, status=400)


def test_a_domain_is_a_project_too(admin: Caller) -> None:
    made = make(admin, "d", is_domain=True)
    assert (made["is_domain"], made["domain_id"], made["parent_id"]) == (True, None, None)
    assert admin.ask("GET", f"/domains/{made['id']}")["domain"]["name"] == "d"
    admin.ask("GET", f"/domains/{admin.project_id}", status=404)
