"""OS-EP-FILTER: which endpoints the catalog of a project shows."""

import msgspec
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from pileus.identity.settings import IdentitySettings
from pileus.kernel.cloud import Cloud
from tests.identity.people import Caller, Json, log_in

F = "/OS-EP-FILTER"


def endpoint(admin: Caller, service: str, region: str = "RegionOne", interface: str = "public", **more: object) -> str:
    body = {
        "service_id": service,
        "region_id": region,
        "interface": interface,
        "url": "http://x/%(project_id)s",
        **more,
    }
    return str(admin.ask("POST", "/endpoints", {"endpoint": body}, status=201)["endpoint"]["id"])


def group(admin: Caller, status: int = 201, name: str = "g", **filters: object) -> str:
    body = {"endpoint_group": {"name": name, "description": "d", "filters": filters}}
    reply = admin.ask("POST", f"{F}/endpoint_groups", body, status=status)
    return str(reply["endpoint_group"]["id"]) if status == 201 else ""


def shown(caller: Caller) -> set[str]:
    """The ids of the endpoints in the caller's catalog, which is the same in its token and by itself."""
    by_itself = caller.ask("GET", "/auth/catalog")["catalog"]
    token = caller.ask("GET", "/auth/tokens", headers={"x-subject-token": caller.token})["token"]
    assert token["catalog"] == by_itself
    return {row["id"] for service in by_itself for row in service["endpoints"]}


@pytest.fixture
def ids(admin: Caller) -> dict[str, str]:
    admin.ask("PUT", "/regions/two", {"region": {}}, status=201)
    service = admin.ask("POST", "/services", {"service": {"type": "t"}}, status=201)["service"]["id"]
    return {
        "service": service,
        "one": endpoint(admin, service),
        "two": endpoint(admin, service, "two"),
        "internal": endpoint(admin, service, "two", "internal"),
        "off": endpoint(admin, service, "two", enabled=False),
    }


def test_life_of_an_endpoint_group(admin: Caller, ids: dict[str, str]) -> None:
    path = f"{F}/endpoint_groups/{group(admin, interface='public', service_id=ids['service'])}"
    made = admin.ask("GET", path)["endpoint_group"]
    assert made["links"]["self"].endswith(path)
    assert (made["name"], made["description"]) == ("g", "d")
    assert made["filters"] == {"interface": "public", "service_id": ids["service"]}
    assert {row["id"] for row in admin.ask("GET", f"{path}/endpoints")["endpoints"]} == {
        ids["one"],
        ids["two"],
        ids["off"],
    }
    change = {"name": "h", "description": None, "filters": {"region_id": "two", "interface": None, "enabled": True}}
    changed = admin.ask("PATCH", path, {"endpoint_group": change})["endpoint_group"]
    assert (changed["name"], changed["description"]) == ("h", "d")
    assert changed["filters"] == {"region_id": "two", "enabled": True}
    assert {row["id"] for row in admin.ask("GET", f"{path}/endpoints")["endpoints"]} == {ids["two"], ids["internal"]}
    change = {"name": None, "description": "e", "filters": None}
    assert admin.ask("PATCH", path, {"endpoint_group": change})["endpoint_group"] == changed | {"description": "e"}
    open_to_all = admin.ask("PATCH", path, {"endpoint_group": {"filters": {}}})["endpoint_group"]
    assert open_to_all["filters"] == {}
    every = {row["id"] for row in admin.ask("GET", "/endpoints")["endpoints"]}
    assert {row["id"] for row in admin.ask("GET", f"{path}/endpoints")["endpoints"]} == every
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


def test_endpoint_groups_are_listed_by_page_and_name(admin: Caller) -> None:
    for name in ("c", "a", "b"):
        group(admin, name=name, interface="public")

    def names(query: str) -> list[str]:
        return [row["name"] for row in admin.ask("GET", f"{F}/endpoint_groups{query}")["endpoint_groups"]]

    assert names("") == ["a", "b", "c"]
    assert names("?name=b") == ["b"]
    page = admin.ask("GET", f"{F}/endpoint_groups?limit=2")
    assert "marker=" in page["links"]["next"]
    assert names(f"?limit=2&marker={page['endpoint_groups'][-1]['id']}") == ["c"]


@pytest.mark.parametrize(
    "filters", [{}, {"interface": "x"}, {"colour": "red"}, {"enabled": "yes"}, {"region_id": None}]
)
def test_bad_endpoint_groups(admin: Caller, filters: Json) -> None:
    group(admin, 400, **filters)
    admin.ask("POST", f"{F}/endpoint_groups", {"endpoint_group": {"filters": {"enabled": True}}}, status=400)
    path = f"{F}/endpoint_groups/{group(admin, region_id='two')}"
    if filters and set(filters.values()) != {None}:
        admin.ask("PATCH", path, {"endpoint_group": {"filters": filters}}, status=400)
    assert admin.ask("GET", path)["endpoint_group"]["filters"] == {"region_id": "two"}


def test_a_project_that_was_given_endpoints_sees_no_others(admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    everything = shown(demo)
    assert {ids["one"], ids["two"]} < everything
    path = f"{F}/projects/{demo.project_id}/endpoints"
    admin.ask("GET", f"{path}/{ids['one']}", status=404)
    for _ in range(2):
        admin.ask("PUT", f"{path}/{ids['one']}", status=204)
    admin.ask("GET", f"{path}/{ids['one']}", status=204)
    admin.ask("HEAD", f"{path}/{ids['one']}", status=204)
    assert shown(demo) == {ids["one"]}
    assert [row["type"] for row in demo.ask("GET", "/auth/catalog")["catalog"]] == ["t"]
    assert shown(admin) == everything
    assert shown(log_in(admin.client, "admin", domain="default")) == everything - {
        ids["one"],
        ids["two"],
        ids["internal"],
    }
    admin.ask("PUT", f"{path}/{ids['off']}", status=204)
    assert shown(demo) == {ids["one"]}
    assert {row["id"] for row in admin.ask("GET", path)["endpoints"]} == {ids["one"], ids["off"]}
    [project] = admin.ask("GET", f"{F}/endpoints/{ids['one']}/projects")["projects"]
    assert (project["id"], project["name"]) == (demo.project_id, "demo")
    admin.ask("DELETE", f"{path}/{ids['one']}", status=204)
    admin.ask("DELETE", f"{path}/{ids['one']}", status=404)
    assert shown(demo) == set()
    admin.ask("DELETE", f"/endpoints/{ids['off']}", status=204)
    assert shown(demo) == everything


def test_a_project_that_was_given_a_group_sees_what_is_in_it(admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    everything = shown(demo)
    identifier = group(admin, region_id="two", service_id=ids["service"])
    path = f"{F}/endpoint_groups/{identifier}/projects"
    one = f"{path}/{demo.project_id}"
    admin.ask("GET", one, status=404)
    admin.ask("PUT", one, status=204)
    assert admin.ask("GET", one)["project"]["name"] == "demo"
    admin.ask("HEAD", one)
    assert shown(demo) == {ids["two"], ids["internal"]}
    later = endpoint(admin, ids["service"], "two", "admin")
    assert shown(demo) == {ids["two"], ids["internal"], later}
    admin.ask("PUT", f"{F}/projects/{demo.project_id}/endpoints/{ids['one']}", status=204)
    assert shown(demo) == {ids["two"], ids["internal"], later, ids["one"]}
    listed = admin.ask("GET", f"{F}/projects/{demo.project_id}/endpoints")["endpoints"]
    assert {row["id"] for row in listed} == {ids[name] for name in ("one", "two", "internal", "off")} | {later}
    assert [row["id"] for row in admin.ask("GET", path)["projects"]] == [demo.project_id]
    page = admin.ask("GET", f"{F}/projects/{demo.project_id}/endpoints?interface=public&limit=1")
    assert len(page["endpoints"]) == 1
    assert "marker=" in page["links"]["next"]
    assert admin.ask("GET", f"{path}?name=other")["projects"] == []
    assert [row["id"] for row in admin.ask("GET", f"{F}/endpoints/{later}/projects")["projects"]] == [demo.project_id]
    groups = admin.ask("GET", f"{F}/projects/{demo.project_id}/endpoint_groups")["endpoint_groups"]
    assert [row["id"] for row in groups] == [identifier]
    assert admin.ask("GET", f"{F}/projects/{admin.project_id}/endpoint_groups")["endpoint_groups"] == []
    admin.ask("DELETE", f"{F}/projects/{demo.project_id}/endpoints/{ids['one']}", status=204)
    admin.ask("DELETE", one, status=204)
    admin.ask("DELETE", one, status=404)
    assert shown(demo) - {later} == everything


def test_the_clouds_own_endpoints_can_be_chosen(admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    own = next(row for row in admin.ask("GET", "/endpoints")["endpoints"] if row["service_id"] != ids["service"])
    admin.ask("PUT", f"{F}/projects/{demo.project_id}/endpoints/{own['id']}", status=204)
    assert shown(demo) == {own["id"]}


def test_without_endpoint_filter_all_a_project_sees_what_it_was_given(
    cloud: Cloud, admin: Caller, demo: Caller, ids: dict[str, str]
) -> None:
    admin.ask("PUT", f"{F}/projects/{demo.project_id}/endpoints/{ids['one']}", status=204)
    settings = msgspec.structs.replace(cloud.settings(IdentitySettings), endpoint_filter_all=False)
    cloud.config._by_type[IdentitySettings] = settings
    assert shown(demo) == {ids["one"]}
    assert shown(admin) == set()
    assert admin.ask("GET", "/auth/catalog")["catalog"] == []
    assert shown(log_in(admin.client, "admin", domain="default"))


def test_associations_end_with_either_side(admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    everything = shown(demo)
    identifier = group(admin, region_id="two")
    admin.ask("PUT", f"{F}/endpoint_groups/{identifier}/projects/{demo.project_id}", status=204)
    admin.ask("DELETE", f"{F}/endpoint_groups/{identifier}", status=204)
    assert shown(demo) == everything
    admin.ask("PUT", f"{F}/projects/{demo.project_id}/endpoints/{ids['one']}", status=204)
    admin.ask("DELETE", f"/services/{ids['service']}", status=204)
    assert shown(demo) == everything - set(ids.values())
    body = {"project": {"name": "p", "domain_id": "default"}}
    project = admin.ask("POST", "/projects", body, status=201)["project"]["id"]
    own = admin.ask("GET", "/endpoints")["endpoints"][0]["id"]
    admin.ask("PUT", f"{F}/projects/{project}/endpoints/{own}", status=204)
    admin.ask("DELETE", f"/projects/{project}", status=204)
    assert admin.ask("GET", f"{F}/endpoints/{own}/projects")["projects"] == []


def test_nothing_is_associated_with_what_is_not_there(admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    identifier = group(admin, region_id="two")
    for path in (
        f"/projects/{demo.project_id}/endpoints/x",
        f"/projects/x/endpoints/{ids['one']}",
        f"/endpoint_groups/{identifier}/projects/x",
        f"/endpoint_groups/x/projects/{demo.project_id}",
    ):
        for method in ("PUT", "GET", "DELETE"):
            admin.ask(method, F + path, status=404)


def test_the_filter_is_an_administrators(client: TestClient, admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    identifier = group(admin, region_id="two")
    one = f"/projects/{demo.project_id}/endpoints/{ids['one']}"
    in_group = f"/endpoint_groups/{identifier}/projects/{demo.project_id}"
    reads = (
        "/endpoint_groups",
        f"/endpoint_groups/{identifier}",
        f"/endpoint_groups/{identifier}/endpoints",
        f"/endpoint_groups/{identifier}/projects",
        f"/projects/{demo.project_id}/endpoints",
        f"/projects/{demo.project_id}/endpoint_groups",
        f"/endpoints/{ids['one']}/projects",
    )
    role = next(row["id"] for row in admin.ask("GET", "/roles?name=reader")["roles"])
    user = admin.ask("POST", "/users", {"user": {"name": "r", "password": "pw"}}, status=201)["user"]["id"]
    admin.ask("PUT", f"/system/users/{user}/roles/{role}", status=204)
    reader = log_in(client, "r", "pw", system=True)
    for path in reads:
        demo.ask("GET", F + path, status=403)
        reader.ask("GET", F + path)
    for path in (one, in_group):
        reader.ask("GET", F + path, status=404)
        for caller in (demo, reader):
            caller.ask("PUT", F + path, status=403)
            caller.ask("DELETE", F + path, status=403)
    reader.ask("DELETE", f"{F}/endpoint_groups/{identifier}", status=403)


def test_the_catalog_is_one_query(cloud: Cloud, admin: Caller, demo: Caller, ids: dict[str, str]) -> None:
    admin.ask("PUT", f"{F}/projects/{demo.project_id}/endpoints/{ids['one']}", status=204)
    asked: list[str] = []
    for engine in {id(e): e for e in (cloud.db._reader, cloud.db._writer)}.values():
        event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    counts = []
    for query in ("?nocatalog", ""):
        asked.clear()
        demo.ask("GET", f"/auth/tokens{query}", headers={"x-subject-token": demo.token})
        counts.append(len(asked))
    assert counts[1] - counts[0] <= 1
