"""Who may do what: personas against operations, and attempts to be somebody else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.hashing import Hasher
from pileus.kernel.http.app import App
from tests.cloud import cloud_of
from tests.identity.conftest import QUICK
from tests.identity.people import PASSWORDS, Caller, Json, log_in

World = dict[str, str]


@pytest.fixture
def world(admin: Caller, demo: Caller) -> World:
    """A domain `d` with a project, a user and a group; ids by name."""
    ids = {role["name"]: str(role["id"]) for role in admin.ask("GET", "/roles")["roles"]}
    ids["demo"], ids["demo_user"] = demo.project_id, demo.user_id
    ids["d"] = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"]
    ids["p"] = admin.ask("POST", "/projects", {"project": {"name": "p", "domain_id": ids["d"]}}, status=201)["project"][
        "id"
    ]
    ids["u"] = admin.ask("POST", "/users", {"user": {"name": "u", "domain_id": ids["d"]}}, status=201)["user"]["id"]
    ids["g"] = admin.ask("POST", "/groups", {"group": {"name": "g", "domain_id": ids["d"]}}, status=201)["group"]["id"]
    return ids


@pytest.fixture
def become(client: TestClient, admin: Caller, world: World) -> Callable[[str], Caller]:
    """`role@scope` -> somebody with that role there. Scopes: system, d (the domain), default, demo (a project)."""

    def become(persona: str) -> Caller:
        role, _, scope = persona.partition("@")
        if scope == "nothing":
            return log_in(client, "demo", unscoped=True)
        user = admin.ask("POST", "/users", {"user": {"name": persona, "password": "pw"}}, status=201)["user"]["id"]
        where = {"system": "system", "demo": f"projects/{world['demo']}"}.get(
            scope, f"domains/{world.get(scope, scope)}"
        )
        admin.ask("PUT", f"/{where}/users/{user}/roles/{world[role]}", status=204)
        scopes: dict[str, Json] = {"system": {"system": True}, "demo": {"project": "demo"}}
        return log_in(client, persona, "pw", **scopes.get(scope, {"domain": world.get(scope, scope)}))

    return become


EVERYONE = (
    "admin@system",
    "admin@demo",
    "admin@d",
    "reader@system",
    "manager@d",
    "reader@d",
    "manager@default",
    "reader@default",
    "manager@demo",
    "member@demo",
    "service@demo",
    "x@nothing",
)
ADMINS = {"admin@system", "admin@demo", "admin@d"}
SEERS = ADMINS | {"reader@system"}
IN_D_SEE = SEERS | {"manager@d", "reader@d"}
IN_D_RUN = ADMINS | {"manager@d"}
DOMAIN_PEOPLE = {"manager@d", "reader@d", "manager@default", "reader@default"}

OPERATIONS: tuple[tuple[str, str, Json | None, set[str]], ...] = (
    ("GET", "/users", None, SEERS | DOMAIN_PEOPLE),
    ("GET", "/users/{u}", None, IN_D_SEE),
    ("GET", "/users/nobody", None, SEERS),
    ("PATCH", "/users/{u}", {"user": {"description": "x"}}, IN_D_RUN),
    ("POST", "/users", {"user": {"name": "n", "domain_id": "{d}"}}, IN_D_RUN),
    ("POST", "/users", {"user": {"name": "n", "domain_id": "default"}}, ADMINS | {"manager@default"}),
    ("DELETE", "/users/{u}", None, IN_D_RUN),
    ("GET", "/users/{u}/projects", None, IN_D_SEE),
    ("GET", "/projects", None, SEERS | DOMAIN_PEOPLE),
    ("GET", "/projects/{p}", None, IN_D_SEE),
    (
        "GET",
        "/projects/{demo}",
        None,
        SEERS | {"manager@default", "reader@default", "manager@demo", "member@demo", "service@demo"},
    ),
    ("POST", "/projects", {"project": {"name": "n", "domain_id": "{d}"}}, IN_D_RUN),
    ("POST", "/projects", {"project": {"name": "n", "parent_id": "{p}"}}, IN_D_RUN),
    ("POST", "/projects", {"project": {"name": "n", "is_domain": True}}, ADMINS),
    ("PATCH", "/projects/{p}", {"project": {"description": "x"}}, IN_D_RUN),
    ("DELETE", "/projects/{p}", None, IN_D_RUN),
    ("GET", "/groups/{g}", None, IN_D_SEE),
    ("POST", "/groups", {"group": {"name": "n", "domain_id": "{d}"}}, IN_D_RUN),
    ("PUT", "/groups/{g}/users/{u}", None, IN_D_RUN),
    ("PUT", "/groups/{g}/users/{demo_user}", None, ADMINS),
    ("GET", "/domains", None, SEERS | DOMAIN_PEOPLE),
    ("GET", "/domains/{d}", None, IN_D_SEE),
    ("POST", "/domains", {"domain": {"name": "n"}}, ADMINS),
    ("PATCH", "/domains/{d}", {"domain": {"description": "x"}}, ADMINS),
    ("GET", "/roles", None, SEERS | {"manager@d", "manager@default"}),
    ("GET", "/roles/{member}", None, SEERS | {"manager@d", "manager@default"}),
    ("POST", "/roles", {"role": {"name": "n"}}, ADMINS),
    ("PATCH", "/roles/{member}", {"role": {"description": "x"}}, ADMINS),
    ("PUT", "/projects/{p}/users/{u}/roles/{member}", None, IN_D_RUN),
    ("PUT", "/projects/{p}/users/{u}/roles/{manager}", None, IN_D_RUN),
    ("PUT", "/projects/{p}/users/{u}/roles/{admin}", None, ADMINS),
    ("PUT", "/projects/{p}/users/{u}/roles/{service}", None, ADMINS),
    ("PUT", "/projects/{demo}/users/{u}/roles/{member}", None, ADMINS),
    ("PUT", "/projects/{p}/users/{demo_user}/roles/{member}", None, ADMINS),
    ("PUT", "/domains/{d}/users/{u}/roles/{manager}", None, IN_D_RUN),
    ("PUT", "/domains/{d}/users/{u}/roles/{admin}", None, ADMINS),
    ("PUT", "/domains/default/users/{u}/roles/{member}", None, ADMINS),
    ("GET", "/projects/{p}/users/{u}/roles", None, IN_D_SEE),
    ("PUT", "/system/users/{u}/roles/{reader}", None, ADMINS),
    ("GET", "/system/users/{u}/roles", None, SEERS),
    ("GET", "/role_assignments", None, SEERS | DOMAIN_PEOPLE),
    ("GET", "/role_assignments?scope.project.id={p}&include_subtree", None, IN_D_SEE),
    ("GET", "/services", None, SEERS),
    ("POST", "/services", {"service": {"type": "t"}}, ADMINS),
    ("GET", "/regions", None, set(EVERYONE)),
    ("POST", "/regions", {"region": {}}, ADMINS),
    ("GET", "/role_inferences", None, SEERS),
    ("GET", "/auth/projects", None, set(EVERYONE)),
)


def fill(value: object, world: World) -> object:
    if isinstance(value, dict):
        return {key: fill(inner, world) for key, inner in value.items()}
    return value.format(**world) if isinstance(value, str) else value


@pytest.mark.parametrize("persona", EVERYONE)
def test_the_matrix(client: TestClient, become: Callable[[str], Caller], world: World, persona: str) -> None:
    """Refused first, so that what is allowed can not change the answer of what is not."""
    caller = become(persona)
    headers = {"x-auth-token": caller.token}
    wrong = []
    for allowed in (False, True):
        for method, path, body, who in OPERATIONS:
            if (persona in who) == allowed and not (allowed and method == "DELETE"):
                reply = client.request(
                    method, "/identity/v3" + path.format(**world), json=fill(body, world), headers=headers
                )
                if (reply.status_code != 403) != allowed or reply.status_code >= 500 or reply.status_code == 401:
                    wrong.append((method, path, reply.status_code))
    assert not wrong


@pytest.mark.parametrize("persona", ["reader@d", "manager@d"])
def test_lists_are_narrowed_to_the_tokens_domain(become: Callable[[str], Caller], world: World, persona: str) -> None:
    caller = become(persona)
    for kind, own in (("users", "u"), ("projects", "p"), ("groups", "g"), ("domains", "d")):
        assert [row["id"] for row in caller.ask("GET", f"/{kind}")[kind]] == [world[own]]
    assert caller.ask("GET", "/users?domain_id=default")["users"] == []
    places = {str(row["scope"]) for row in caller.ask("GET", "/role_assignments")["role_assignments"]}
    assert places == {str({"domain": {"id": world["d"]}})}


@pytest.mark.parametrize(
    "forged",
    [
        {"x-roles": "admin", "x-user-id": "someone", "x-project-id": "p", "x-is-admin-project": "true"},
        {"x-identity-status": "Confirmed", "x-system-scope": "all", "x-role": "admin"},
        {"x-service-token": "junk", "x-service-roles": "service"},
    ],
)
def test_forged_headers_change_nothing(client: TestClient, demo: Caller, admin: Caller, forged: Json) -> None:
    demo.ask("GET", "/users", headers=forged, status=403)
    assert client.get("/identity/v3/users", headers=forged).status_code == 401
    shown = demo.ask("GET", "/auth/tokens", headers={**forged, "x-subject-token": demo.token})["token"]
    assert shown["roles"] == demo.body["roles"]


@pytest.mark.parametrize(
    "body",
    [
        {"user": {"description": "x", "domain_id": "{d}"}},
        {"user": {"description": "x", "id": "{u}"}},
        {"user": {"target": {"user": {"domain_id": "{d}"}}, "target.user.domain_id": "{d}", "user_id": "{u}"}},
    ],
)
def test_a_body_never_becomes_the_target(become: Callable[[str], Caller], world: World, body: Json) -> None:
    become("manager@d").ask("PATCH", f"/users/{world['demo_user']}", fill(body, world), status=403)


def test_a_foreign_parent_decides_the_domain_of_a_new_project(become: Callable[[str], Caller], world: World) -> None:
    body = {"project": {"name": "n", "domain_id": world["d"], "parent_id": world["demo"]}}
    become("manager@d").ask("POST", "/projects", body, status=403)


def test_unscoped_and_foreign_things(become: Callable[[str], Caller], demo: Caller, world: World) -> None:
    nobody = become("x@nothing")
    nobody.ask("GET", f"/users/{nobody.user_id}")
    nobody.ask("GET", f"/users/{nobody.user_id}/projects")
    nobody.ask("GET", f"/users/{world['u']}", status=403)
    demo.ask("GET", "/users/does-not-exist", status=403)
    demo.ask("GET", "/projects/does-not-exist", status=403)
    demo.ask("PATCH", f"/users/{demo.user_id}", {"user": {"password": "x"}}, status=403)


CHANGES: tuple[tuple[str, str, Json | None], ...] = (
    ("PATCH", "/users/{boss}", {"user": {"password": "mine-now"}}),
    ("PATCH", "/users/{boss}", {"user": {"enabled": False}}),
    ("DELETE", "/users/{boss}", None),
    ("PATCH", "/groups/{bosses}", {"group": {"name": "x"}}),
    ("DELETE", "/groups/{bosses}", None),
    ("PUT", "/groups/{bosses}/users/{self}", None),
    ("PUT", "/groups/{plain}/users/{boss}", None),
    ("DELETE", "/groups/{bosses}/users/{boss}", None),
)
STANDINGS = (
    "admin in a project",
    "admin in the domain",
    "reader in the system",
    "by a group",
    "by inheritance",
    "service",
    "what implies service",
)


@pytest.mark.parametrize("how", STANDINGS)
def test_a_domain_manager_can_not_use_those_above(
    become: Callable[[str], Caller], admin: Caller, world: World, how: str
) -> None:
    """Whoever can set an administrator's password, or join an administrators' group, is one."""
    manager = become("manager@default")
    ids = dict(world, self=manager.user_id)
    ids["boss"] = admin.ask("POST", "/users", {"user": {"name": "boss", "password": "pw"}}, status=201)["user"]["id"]
    for name in ("bosses", "plain"):
        ids[name] = admin.ask("POST", "/groups", {"group": {"name": name}}, status=201)["group"]["id"]
    manager.ask("PUT", "/groups/{bosses}/users/{boss}".format(**ids), status=204)
    manager.ask("PATCH", "/users/{boss}".format(**ids), {"user": {"password": "pw"}})
    ids["extra"] = admin.ask("POST", "/roles", {"role": {"name": "extra"}}, status=201)["role"]["id"]
    admin.ask("PUT", "/roles/{extra}/implies/{service}".format(**ids), status=201)
    paths = {
        "admin in a project": ("/projects/{p}", "/roles/{admin}"),
        "admin in the domain": ("/domains/default", "/roles/{admin}"),
        "reader in the system": ("/system", "/roles/{reader}"),
        "by a group": ("/projects/{demo}", "/roles/{admin}"),
        "service": ("/projects/{p}", "/roles/{service}"),
        "what implies service": ("/projects/{p}", "/roles/{extra}"),
        "by inheritance": ("/OS-INHERIT/domains/{d}", "/roles/{admin}/inherited_to_projects"),
    }
    where, what = paths[how]
    for actor in ("/groups/{bosses}", *(() if how == "by a group" else ("/users/{boss}",))):
        admin.ask("PUT", (where + actor + what).format(**ids), status=204)
    for method, path, body in CHANGES:
        manager.ask(method, path.format(**ids), body, status=403)
    manager.ask("PATCH", f"/users/{world['demo_user']}", {"user": {"description": "below"}})
    manager.ask("GET", "/users/{boss}".format(**ids))
    admin.ask("PATCH", "/users/{boss}".format(**ids), {"user": {"password": "pw2"}})


def test_who_is_above_is_not_told_to_others(demo: Caller, admin: Caller, world: World) -> None:
    change = {"user": {"enabled": False}}
    replies = [
        demo.ask("PATCH", f"/users/{user}", change, status=403)
        for user in (admin.user_id, world["u"], "does-not-exist")
    ]
    assert replies[0] == replies[1] == replies[2]


@pytest.mark.parametrize("how", ["users/{self}", "groups/{g}"])
@pytest.mark.parametrize("role", ["admin", "service", "extra"])
def test_a_domain_manager_gives_only_the_roles_below_its_own(
    become: Callable[[str], Caller], admin: Caller, world: World, how: str, role: str
) -> None:
    extra = admin.ask("POST", "/roles", {"role": {"name": "extra"}}, status=201)["role"]["id"]
    admin.ask("PUT", f"/roles/{extra}/implies/{world['manager']}", status=201)
    manager = become("manager@default")
    group = admin.ask("POST", "/groups", {"group": {"name": "g2"}}, status=201)["group"]["id"]
    ids = dict(world, self=manager.user_id, g=group, extra=extra)
    for where in ("/projects/{demo}", "/domains/default"):
        path = where + "/" + how + "/roles/{" + role + "}"
        manager.ask("PUT", path.format(**ids), status=403)
        inherited = "/OS-INHERIT" + path + "/inherited_to_projects"
        manager.ask("PUT", inherited.format(**ids), status=403)
        manager.ask("PUT", (where + "/" + how + "/roles/{manager}").format(**ids), status=204)


def test_an_operator_overrides_rules(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name, password in PASSWORDS.items():
        (tmp_path / "secrets" / f"{name}_password").write_text(password)
    (tmp_path / "policy.yaml").write_text('"identity:list_users": "role:member"\n"identity:get_region": "!"\n')
    with cloud_of(tmp_path, MANIFEST) as cloud:
        cloud.add(Hasher(QUICK))
        assert MANIFEST.seed is not None
        MANIFEST.seed(cloud)
        client = TestClient(App(cloud, [MANIFEST]))
        log_in(client, "demo", project="demo").ask("GET", "/users")
        log_in(client, "admin", project="admin").ask("GET", "/regions/RegionOne", status=403)
