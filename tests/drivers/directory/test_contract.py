"""What a domain's users and groups promise wherever they are."""

import pytest

from tests.drivers.directory.rigs import Rig, group_id, list_users, log_in, user_id

pytestmark = pytest.mark.filterwarnings("ignore:.*Map is deprecated:DeprecationWarning")  # pyasn1, in ldap3


def names(rig: Rig, query: str = "") -> list[str]:
    return [user["name"] for user in list_users(rig, query)]


def test_a_password_proves_its_user(rig: Rig) -> None:
    rig.person("kim")
    caller = log_in(rig, "kim")
    assert caller.body["user"]["name"] == "kim"
    assert caller.body["user"]["domain"]["id"] == rig.domain_id
    assert caller.user_id == user_id(rig, "kim")


def test_refusals_are_all_alike(rig: Rig) -> None:
    rig.person("kim")
    rig.person("off", enabled=False)
    refusals = {
        log_in(rig, "kim", "wrong", status=401),
        log_in(rig, "kim", "", status=401),
        log_in(rig, "nobody", status=401),
        log_in(rig, "nobody", "", status=401),
        log_in(rig, "off", status=401),
        log_in(rig, "*", status=401),
    }
    assert len(refusals) == 1


def test_a_changed_password(rig: Rig) -> None:
    rig.person("kim")
    log_in(rig, "kim")
    rig.set_password("kim", "another-secret-2")
    log_in(rig, "kim", status=401)
    log_in(rig, "kim", "another-secret-2")


def test_ids_stay(rig: Rig) -> None:
    rig.person("kim")
    rig.team("staff", ["kim"])
    found = user_id(rig, "kim"), group_id(rig, "staff")
    assert log_in(rig, "kim").user_id == found[0]
    assert (user_id(rig, "kim"), group_id(rig, "staff")) == found
    shown = rig.admin.ask("GET", f"/users/{found[0]}")["user"]
    assert (shown["id"], shown["name"], shown["enabled"]) == (found[0], "kim", True)
    assert rig.admin.ask("GET", f"/groups/{found[1]}")["group"]["name"] == "staff"


def test_lists_filters_and_pages(rig: Rig) -> None:
    for name in ("ann", "anna", "bob", "cy*d", "d(e)", "hél", "back\\slash"):
        rig.person(name)
    rig.person("off", enabled=False)
    assert names(rig) == ["ann", "anna", "back\\slash", "bob", "cy*d", "d(e)", "hél", "off"]
    assert names(rig, "&name=ann") == ["ann"]
    assert names(rig, "&name=ANN") == []
    assert names(rig, "&name=an") == []
    assert names(rig, "&name__startswith=an") == ["ann", "anna"]
    assert names(rig, "&name__icontains=N") == ["ann", "anna"]
    assert names(rig, "&name__endswith=b") == ["bob"]
    assert names(rig, "&name__contains=*") == ["cy*d"]
    assert names(rig, "&name=d(e)") == ["d(e)"]
    assert names(rig, "&name=h%C3%A9l") == ["hél"]
    assert names(rig, "&name=back%5Cslash") == ["back\\slash"]
    assert names(rig, "&name=*") == []
    assert names(rig, "&name=*)(uid=*") == []
    assert names(rig, "&enabled=false") == ["off"]
    first = list_users(rig, "&limit=2")
    assert [user["name"] for user in first] == ["ann", "anna"]
    assert names(rig, f"&limit=2&marker={first[1]['id']}") == ["back\\slash", "bob"]


def test_a_disabled_user(rig: Rig) -> None:
    rig.person("kim")
    caller = log_in(rig, "kim")
    caller.ask("GET", "/auth/projects")
    rig.enable("kim", False)
    log_in(rig, "kim", status=401)
    assert rig.admin.ask("GET", f"/users/{caller.user_id}")["user"]["enabled"] is False
    rig.enable("kim", True)
    again = log_in(rig, "kim")
    assert again.user_id == caller.user_id


def test_a_deleted_user(rig: Rig) -> None:
    rig.person("kim")
    rig.person("lee")
    caller = log_in(rig, "kim")
    rig.remove("kim")
    log_in(rig, "kim", status=401)
    assert names(rig) == ["lee"]
    assert names(rig, "&name=kim") == []
    rig.admin.ask("GET", f"/users/{caller.user_id}", status=404)
    caller.ask("GET", "/auth/projects", status=401)


def test_groups_give_roles(rig: Rig) -> None:
    rig.person("kim")
    rig.person("lee")
    rig.team("staff", ["kim"])
    staff, kim, lee = group_id(rig, "staff"), user_id(rig, "kim"), user_id(rig, "lee")
    assert [user["name"] for user in rig.admin.ask("GET", f"/groups/{staff}/users")["users"]] == ["kim"]
    assert [group["id"] for group in rig.admin.ask("GET", f"/users/{kim}/groups")["groups"]] == [staff]
    assert rig.admin.ask("GET", f"/users/{lee}/groups")["groups"] == []
    rig.admin.ask("HEAD", f"/groups/{staff}/users/{kim}", status=204)
    rig.admin.ask("HEAD", f"/groups/{staff}/users/{lee}", status=404)
    project = rig.admin.ask("POST", "/projects", {"project": {"name": "p", "domain_id": rig.domain_id}}, status=201)
    project_id = project["project"]["id"]
    (role,) = rig.admin.ask("GET", "/roles?name=member")["roles"]
    rig.admin.ask("PUT", f"/projects/{project_id}/groups/{staff}/roles/{role['id']}", status=204)
    scope = {"project": {"id": project_id}}
    caller = log_in(rig, "kim", scope=scope)
    assert "member" in {role["name"] for role in caller.body["roles"]}
    assert [each["id"] for each in caller.ask("GET", "/auth/projects")["projects"]] == [project_id]
    log_in(rig, "lee", scope=scope, status=401)
    rig.leave("staff", "kim")
    log_in(rig, "kim", scope=scope, status=401)
    assert rig.admin.ask("GET", f"/groups/{staff}/users")["users"] == []
    rig.remove_team("staff")
    rig.admin.ask("GET", f"/groups/{staff}", status=404)
    assert rig.admin.ask("GET", f"/groups?domain_id={rig.domain_id}")["groups"] == []


def test_group_filters(rig: Rig) -> None:
    for name in ("red", "reddish", "bl*e"):
        rig.team(name, [])
    path = f"/groups?domain_id={rig.domain_id}"

    def found(query: str = "") -> list[str]:
        return [group["name"] for group in rig.admin.ask("GET", path + query)["groups"]]

    assert found() == ["bl*e", "red", "reddish"]
    assert found("&name=red") == ["red"]
    assert found("&name__contains=*") == ["bl*e"]
    assert found("&name__endswith=ish") == ["reddish"]
    assert found("&limit=1") == ["bl*e"]
