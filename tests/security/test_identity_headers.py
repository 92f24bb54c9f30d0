"""Who asks is what the token says: never what other headers or the body say (OSSA-2026-001, LP 2148398)."""

import pytest

from tests.security.world import World

FORGED = {
    "X-Roles": "admin",
    "X-Role": "admin",
    "X-User-Id": "{admin}",
    "X-User": "admin",
    "X-User-Name": "admin",
    "X-Project-Id": "{blue}",
    "X-Tenant-Id": "{blue}",
    "X-Tenant": "{blue}",
    "X-Project-Name": "blue",
    "X-Domain-Id": "default",
    "X-Identity-Status": "Confirmed",
    "X-Is-Admin-Project": "True",
    "X-System-Scope": "all",
    "X-Service-Token": "{token}",
    "X-Service-Roles": "admin,service",
    "X-Service-Identity-Status": "Confirmed",
    "X-Service-User-Id": "{admin}",
    "X-Service-Project-Id": "{blue}",
    "X-Instance-Id": "{server}",
    "X-Forwarded-For": "127.0.0.1",
    "Remote-User": "admin",
    "OpenStack-System-Scope": "all",
}
QUESTIONS = (
    ("GET", "/compute/v2.1/servers/{server}", 404),
    ("GET", "/compute/v2.1/servers?all_tenants=1", 403),
    ("GET", "/compute/v2.1/os-services", 403),
    ("GET", "/image/v2/images/{image}", 404),
    ("GET", "/network/v2.0/ports/{port}", 404),
    ("GET", "/network/v2.0/agents/{agent}", 403),
    ("GET", "/placement/resource_providers", 403),
    ("GET", "/identity/v3/users", 403),
    ("DELETE", "/identity/v3/projects/{blue}", 403),
)


def forged(world: World) -> dict[str, str]:
    """Each header also with underscores, as some gateways pass them."""
    values = {
        "admin": world.must("admin", "GET", "/identity/v3/users?name=admin")["users"][0]["id"],
        "blue": world.ids["blue"]["project"],
        "server": world.ids["blue"]["server"],
        "token": world.tokens["member"] or "",
    }
    said = {name: value.format(**values) for name, value in FORGED.items()}
    return said | {name.replace("-", "_"): value for name, value in said.items()}


@pytest.mark.parametrize(("method", "path", "status"), QUESTIONS)
def test_forged_identity_headers_change_nothing(world: World, method: str, path: str, status: int) -> None:
    ids = world.ids["blue"] | {"blue": world.ids["blue"]["project"], "agent": world.ids["shared"]["agent"]}
    at, lies = path.format(**ids), forged(world)
    for who, expected in (("member", status), ("none", 401)):
        assert world.client.ask(method, at, token=world.tokens[who], headers=lies).status == expected
        plain = world.client.ask(method, at, token=world.tokens[who])
        assert plain.status == expected


def test_lists_stay_ones_own_under_forged_headers(world: World) -> None:
    lies = forged(world)
    for path, name in (
        ("/compute/v2.1/servers", "servers"),
        ("/network/v2.0/ports", "ports"),
        ("/image/v2/images", "images"),
    ):
        own = world.client.ask("GET", path, token=world.tokens["member"]).json[name]
        lied = world.client.ask("GET", path, token=world.tokens["member"], headers=lies).json[name]
        assert [item["id"] for item in lied] == [item["id"] for item in own] != []


def test_a_subject_token_is_no_login(world: World) -> None:
    headers = {"x-subject-token": world.tokens["admin"] or "", "x-service-token": world.tokens["admin"] or ""}
    assert world.client.ask("GET", "/identity/v3/auth/tokens", headers=headers).status == 401
    assert world.client.ask("GET", "/identity/v3/users", token=world.tokens["member"], headers=headers).status == 403


@pytest.mark.parametrize("key", ["project_id", "tenant_id"])
@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("networks", "network"),
        ("routers", "router"),
        ("security-groups", "security_group"),
        ("subnetpools", "subnetpool"),
    ],
)
def test_a_body_names_no_other_owner(world: World, plural: str, singular: str, key: str) -> None:
    wish: dict[str, object] = {"name": "x", key: world.ids["blue"]["project"]}
    wish |= {"prefixes": ["10.9.0.0/16"]} if singular == "subnetpool" else {}
    assert world.ask("member", "POST", f"/network/v2.0/{plural}", {singular: wish}).status in (400, 403)


@pytest.mark.parametrize(
    "owner", [{"project_id": "@"}, {"user_id": "@"}, {"tenant_id": "@"}, {"target": {"project_id": "@"}}]
)
def test_owners_in_bodies_never_reach_the_policy(world: World, owner: dict[str, object]) -> None:
    """The caller names itself as the owner of what is another's, at every level of the body."""
    blue, red = world.ids["blue"], world.ids["red"]["project"]
    mine: dict[str, object] = {name: red if value == "@" else {"project_id": red} for name, value in owner.items()}
    for method, path, wrapper in (
        ("PUT", f"/compute/v2.1/servers/{blue['server']}", "server"),
        ("PUT", f"/network/v2.0/networks/{blue['network']}", "network"),
        ("PUT", f"/network/v2.0/ports/{blue['port']}", "port"),
        ("PATCH", f"/identity/v3/projects/{blue['project']}", "project"),
        ("PATCH", f"/identity/v3/users/{blue['user']}", "user"),
    ):
        for body in ({wrapper: {"name": "mine", **mine}}, {wrapper: {"name": "mine"}, **mine}):
            assert world.ask("member", method, path, body).status in (400, 403, 404), path
    shown = world.must("other", "GET", f"/compute/v2.1/servers/{blue['server']}")["server"]
    assert (shown["name"], shown["tenant_id"]) == ("blue-server", blue["project"])
    image = [{"op": "replace", "path": "/owner", "value": red}]
    kind = "application/openstack-images-v2.1-json-patch"
    assert world.ask("member", "PATCH", f"/image/v2/images/{blue['image']}", image, content_type=kind).status == 404
    own = [{"op": "replace", "path": "/owner", "value": blue["project"]}]
    path = f"/image/v2/images/{world.ids['red']['image']}"
    assert world.ask("member", "PATCH", path, own, content_type=kind).status == 403


def test_the_metadata_service_believes_only_signatures(world: World) -> None:
    server = world.ids["red"]["server"]
    secret = world.cloud.config.secret("metadata_secret")
    from pileus.metadata.asker import signature

    good = {"X-Instance-ID": server, "X-Instance-ID-Signature": signature(secret, server)}
    path = "/openstack/latest/meta_data.json"
    assert world.metadata.ask("GET", path, headers=good).json["uuid"] == server
    other = world.ids["blue"]["server"]
    for lie in (
        {},
        {"X-Instance-ID": other},
        {**good, "X-Instance-ID": other},
        {**good, "X-Instance-ID-Signature": ""},
        {**good, "X-Instance-ID-Signature": "é" * 64},
        {**good, "X-Instance-ID-Signature": signature("", server)},
        {"X-Instance-ID": "", "X-Instance-ID-Signature": signature(secret, "")},
        {"X-Forwarded-For": "10.1.0.2", "X-Router-ID": world.ids["red"]["router"]},
        {"X_Instance_ID": server, "X_Instance_ID_Signature": signature(secret, server)},
    ):
        assert world.metadata.ask("GET", path, headers=lie).status == 403, lie
    assert world.metadata.ask("GET", path, headers={**good, "X-Tenant-ID": "another"}).status == 404
    assert world.metadata.ask("POST", "/openstack/latest/password", b"x").status == 403
