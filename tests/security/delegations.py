"""Every way to hand on what a token may do: each a function that makes a child of a token, or None where that is refused."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from oauthlib.oauth1 import Client

from tests.identity import signing
from tests.security.world import World, password_of

V3 = "/identity/v3"
ORIGIN = "http://127.0.0.1:8780"
SECRET = "Delegated-Secret-9"
_number = itertools.count()


@dataclass(frozen=True)
class Wish:
    """What a child is asked to have. `roles` None: all that the parent has; `minutes` None: no end of its own."""

    roles: tuple[str, ...] | None = None
    minutes: int | None = None
    impersonation: bool = True
    unrestricted: bool = False
    redelegation: int = 1

    @property
    def ends(self) -> str | None:
        ends = datetime.now(UTC) + timedelta(minutes=self.minutes or 0)
        return ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if self.minutes is not None else None


@dataclass(frozen=True)
class Held:
    """A token, whose it is in truth (`name`, for logins), and the trust it is from."""

    token: str
    name: str
    body: Any
    trust_id: str | None = None
    steps: tuple[str, ...] = field(default=())

    @property
    def roles(self) -> set[str]:
        return {role["name"] for role in self.body.get("roles", ())}

    @property
    def project_id(self) -> str | None:
        project = self.body.get("project")
        return str(project["id"]) if project else None


Kind = Callable[[World, Held, Wish], Held | None]


def told(world: World, token: str) -> Any:
    answer = world.client.ask("GET", f"{V3}/auth/tokens", token=token, headers={"x-subject-token": token})
    assert answer.status == 200, answer.body
    return answer.json["token"]


def held(world: World, name: str) -> Held:
    """One of the world's people, with their own token."""
    token = world.tokens[name] or ""
    return Held(token, name, told(world, token))


def child(world: World, parent: Held, step: str, token: str, **more: Any) -> Held:
    return Held(token, **{"name": parent.name, "body": told(world, token), "steps": (*parent.steps, step), **more})


def asked(world: World, token: str | None, method: str, path: str, body: object) -> Any:
    """The answer's body and headers; None when it is refused. Never 5xx."""
    answer = world.client.ask(method, f"{V3}{path}", body, token=token)
    assert answer.status < 500, (path, answer.body)
    return answer if answer.status < 300 else None


def entered(world: World, methods: dict[str, Any], scope: object = None) -> str | None:
    body: dict[str, Any] = {"identity": {"methods": list(methods), **methods}}
    answer = asked(
        world, None, "POST", "/auth/tokens", {"auth": body | ({"scope": scope} if scope is not None else {})}
    )
    return answer.headers["x-subject-token"] if answer is not None else None


def chosen(parent: Held, wish: Wish) -> list[dict[str, str]]:
    return [{"name": name} for name in (sorted(parent.roles) if wish.roles is None else wish.roles)]


def application_credential(world: World, parent: Held, wish: Wish) -> Held | None:
    user = parent.body["user"]["id"]
    given = {"name": f"child{next(_number)}", "secret": SECRET, "unrestricted": wish.unrestricted}
    given |= {"roles": chosen(parent, wish)} if wish.roles is not None else {}
    given |= {"expires_at": wish.ends} if wish.ends else {}
    path = f"/users/{user}/application_credentials"
    made = asked(world, parent.token, "POST", path, {"application_credential": given})
    if made is None:
        return None
    credential = {"id": made.json["application_credential"]["id"], "secret": SECRET}
    token = entered(world, {"application_credential": credential})
    return child(world, parent, "application credential", token) if token is not None else None


def trust(world: World, parent: Held, wish: Wish) -> Held | None:
    """To `domain_member`, who has nothing in the project. From a trust's token: handed on (redelegated)."""
    trustee = "domain_member" if parent.name != "domain_member" else "domain_reader"
    given = {
        "trustor_user_id": parent.body["user"]["id"],
        "trustee_user_id": world.ids["shared"][f"{trustee}_id"],
        "impersonation": wish.impersonation,
        "project_id": parent.project_id,
        "roles": chosen(parent, wish),
        "allow_redelegation": wish.redelegation > 0,
        "redelegation_count": wish.redelegation,
    }
    given |= {"expires_at": wish.ends} if wish.ends else {}
    made = asked(world, parent.token, "POST", "/OS-TRUST/trusts", {"trust": given})
    if made is None:
        return None
    trust_id = made.json["trust"]["id"]
    user = {"name": trustee, "domain": {"id": "default"}, "password": password_of(trustee)}
    token = entered(world, {"password": {"user": user}}, {"OS-TRUST:trust": {"id": trust_id}})
    return child(world, parent, "trust", token, name=trustee, trust_id=trust_id) if token is not None else None


def oauth1(world: World, parent: Held, wish: Wish) -> Held | None:
    wanted = question(world, str(parent.project_id))
    keys = {"client_key": wanted["consumer_id"], "client_secret": wanted["consumer_secret"]}
    path = f"/OS-OAUTH1/authorize/{wanted['oauth_token']}"
    allowed = asked(world, parent.token, "PUT", path, {"roles": chosen(parent, wish)})
    if allowed is None:
        return None
    owner = {"resource_owner_key": wanted["oauth_token"], "resource_owner_secret": wanted["oauth_token_secret"]}
    verifier = allowed.json["token"]["oauth_verifier"]
    access = _signed(world, Client(**keys, **owner, verifier=verifier), "/OS-OAUTH1/access_token", {})
    owner = {"resource_owner_key": access["oauth_token"], "resource_owner_secret": access["oauth_token_secret"]}
    _, headers, _ = Client(**keys, **owner).sign(f"{ORIGIN}{V3}/auth/tokens", http_method="POST")
    login = {"auth": {"identity": {"methods": ["oauth1"], "oauth1": {}}}}
    answer = world.client.ask("POST", f"{V3}/auth/tokens", login, headers=headers)
    assert answer.status < 500, answer.body
    token = answer.headers.get("x-subject-token")
    return child(world, parent, "OAuth1", token) if token is not None else None


def question(world: World, project_id: str) -> dict[str, str]:
    """A new consumer's request token, and the consumer."""
    consumer = world.must("admin", "POST", f"{V3}/OS-OAUTH1/consumers", {"consumer": {}})["consumer"]
    signer = Client(consumer["id"], client_secret=consumer["secret"], callback_uri="oob")
    token = _signed(world, signer, "/OS-OAUTH1/request_token", {"requested-project-id": project_id})
    return token | {"consumer_id": consumer["id"], "consumer_secret": consumer["secret"]}


def _signed(world: World, signer: Client, path: str, more: dict[str, str]) -> dict[str, str]:
    _, headers, _ = signer.sign(f"{ORIGIN}{V3}{path}", http_method="POST")
    answer = world.client.ask("POST", f"{V3}{path}", headers=headers | more)
    assert answer.status == 201, answer.body
    return {name: values[0] for name, values in parse_qs(answer.body.decode()).items()}


def ec2(world: World, parent: Held, wish: Wish) -> Held | None:
    """A key pair made with the token, and what its signature is worth."""
    path = f"/users/{parent.body['user']['id']}/credentials/OS-EC2"
    made = asked(world, parent.token, "POST", path, {"tenant_id": parent.project_id})
    if made is None:
        return None
    pair = made.json["credential"]
    signed = signing.version_4(pair["access"], pair["secret"], signing.moment())
    answer = asked(world, world.tokens["service"], "POST", "/ec2tokens", {"credentials": signed})
    return child(world, parent, "EC2", answer.headers["x-subject-token"]) if answer is not None else None


def rescoped(world: World, parent: Held, wish: Wish) -> Held | None:
    """A token for the token, for the same project."""
    token = entered(world, {"token": {"id": parent.token}}, {"project": {"id": parent.project_id}})
    return child(world, parent, "rescoped", token) if token is not None else None


KINDS: dict[str, Kind] = {
    "application_credential": application_credential,
    "trust": trust,
    "oauth1": oauth1,
    "ec2": ec2,
    "rescoped": rescoped,
}
