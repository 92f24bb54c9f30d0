"""What identity keeps besides people and projects: of each side, and of the whole cloud."""

from typing import Any

from tests.security import delegations
from tests.security.world import World, password_of

CONFIG = {"config": {"ldap": {"url": "ldap://192.0.2.9", "user_tree_dn": "ou=people"}}}
RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]
PROVIDER_URLS = {"auth_url": "https://192.0.2.9/auth", "sp_url": "https://192.0.2.9/sp"}


def of_a_side(world: World, side: str, who: str) -> None:
    """A user's own: credentials, an EC2 key pair, an access rule, a trust."""
    ids = world.ids[side]
    mine = f"/identity/v3/users/{ids['user']}"
    blob = {"type": "cert", "blob": f"{side}-blob", "user_id": ids["user"]}
    ids["credential"] = _made(world, who, "/identity/v3/credentials", credential=blob)["id"]
    pair = world.must(who, "POST", f"{mine}/credentials/OS-EC2", {"tenant_id": ids["project"]})["credential"]
    ids["ec2_key"], ids["ec2_secret"] = pair["access"], pair["secret"]
    ruled = {
        "name": f"{side}-ruled",
        "secret": password_of(f"{side}-ruled"),
        "access_rules": [{"service": "image", "method": "GET", "path": f"/v2/{side}"}],
    }
    made = _made(world, who, f"{mine}/application_credentials", application_credential=ruled)
    ids["access_rule"] = made["access_rules"][0]["id"]
    world.must(who, "DELETE", f"{mine}/application_credentials/{made['id']}")  # a rule in use can not be deleted
    trust = {
        "trustor_user_id": ids["user"],
        "trustee_user_id": world.ids["shared"]["manager_id" if side == "red" else "domain_member_id"],
        "impersonation": False,
        "project_id": ids["project"],
        "roles": [{"id": ids["role"]}],
    }
    ids["trust"] = _made(world, who, "/identity/v3/OS-TRUST/trusts", trust=trust)["id"]
    limit = {"service_id": world.ids["shared"]["own_service"], "resource_name": "known", "resource_limit": 3}
    limits = {"limits": [limit | {"project_id": ids["project"]}]}
    ids["limit"] = world.must("admin", "POST", "/identity/v3/limits", limits)["limits"][0]["id"]
    question = delegations.question(world, ids["project"])
    ids["request_token"] = question["oauth_token"]
    assert delegations.oauth1(world, delegations.held(world, who), delegations.Wish(roles=("reader",))) is not None
    tokens = world.must(who, "GET", f"{mine}/OS-OAUTH1/access_tokens")["access_tokens"]
    ids["access_token"] = tokens[0]["id"]
    _given(world, side)


def _given(world: World, side: str) -> None:
    """Roles of a group that nobody is in, a role that nobody has and what it implies, and a filter on the project's catalog."""
    ids, shared = world.ids[side], world.ids["shared"]
    for place in (f"projects/{ids['project']}", "domains/default"):
        path = f"{place}/groups/{ids['group']}/roles/{ids['role']}"
        world.must("admin", "PUT", f"/identity/v3/{path}")
        world.must("admin", "PUT", f"/identity/v3/OS-INHERIT/{path}/inherited_to_projects")
    world.must("admin", "PUT", f"/identity/v3/roles/{ids['other_role']}/implies/{ids['role']}")
    filters = "/identity/v3/OS-EP-FILTER"
    world.must("admin", "PUT", f"{filters}/projects/{ids['project']}/endpoints/{shared['endpoint']}")
    world.must("admin", "PUT", f"{filters}/endpoint_groups/{shared['endpoint_group']}/projects/{ids['project']}")


def of_all(world: World) -> None:
    """What administrators keep: limits, policies, endpoint groups, a domain's configuration, OAuth1's and federation's partners."""
    ids = world.ids["shared"]
    ids["own_service"] = ids["service"]  # the cloud's own: it can not be changed
    service = {"type": "known", "name": "known"}
    ids["service"] = _made(world, "admin", "/identity/v3/services", service=service)["id"]
    endpoint = {"service_id": ids["service"], "interface": "admin", "url": "http://192.0.2.9/"}
    ids["endpoint"] = _made(world, "admin", "/identity/v3/endpoints", endpoint=endpoint)["id"]
    _made(world, "admin", "/identity/v3/regions", region={"id": "known"})
    registered = {"service_id": ids["own_service"], "resource_name": "known", "default_limit": 5}
    made = world.must("admin", "POST", "/identity/v3/registered_limits", {"registered_limits": [registered]})
    ids["registered_limit"] = made["registered_limits"][0]["id"]
    ids["policy"] = _made(world, "admin", "/identity/v3/policies", policy={"type": "text", "blob": "known"})["id"]
    group = {"name": "known", "filters": {"interface": "admin"}}
    world.must("admin", "PUT", f"/identity/v3/policies/{ids['policy']}/OS-ENDPOINT-POLICY/endpoints/{ids['endpoint']}")
    path = "/identity/v3/OS-EP-FILTER/endpoint_groups"
    ids["endpoint_group"] = _made(world, "admin", path, endpoint_group=group)["id"]
    world.must("admin", "PUT", "/identity/v3/domains/default/config", CONFIG)
    ids["consumer"] = _made(world, "admin", "/identity/v3/OS-OAUTH1/consumers", consumer={"description": "known"})["id"]
    partners: tuple[tuple[str, str, Any], ...] = (
        ("mappings/known", "mapping", {"rules": RULES}),
        ("mappings/used", "mapping", {"rules": RULES}),
        ("identity_providers/known", "identity_provider", {"enabled": True}),
        ("identity_providers/known/protocols/known", "protocol", {"mapping_id": "used"}),
        ("service_providers/known", "service_provider", PROVIDER_URLS),
    )
    for path, name, wish in partners:
        world.must("admin", "PUT", f"/identity/v3/OS-FEDERATION/{path}", {name: wish})


def _made(world: World, who: str, path: str, **body: Any) -> Any:
    ((name, wish),) = body.items()
    return world.must(who, "POST", path, {name: wish})[name]
