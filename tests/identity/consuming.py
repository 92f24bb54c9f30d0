"""OAuth1 consumers in tests: signing, and the way to an access token."""

from typing import Any
from urllib.parse import parse_qs

from httpx2 import Response
from oauthlib.oauth1 import Client
from starlette.testclient import TestClient

from tests.identity.people import Caller, Json

HERE = "http://testserver/identity/v3"
LOGIN: Json = {"auth": {"identity": {"methods": ["oauth1"], "oauth1": {}}}}


def send(client: TestClient, signer: Client, path: str, body: Json | None = None, project_id: str = "") -> Response:
    _, headers, _ = signer.sign(HERE + path, http_method="POST")
    more = {"requested-project-id": project_id} if project_id else {}
    found: Response = client.post(HERE + path, headers={**headers, **more}, json=body)
    return found


def form(reply: Response) -> dict[str, str]:
    assert reply.status_code == 201, reply.text
    assert reply.headers["content-type"].startswith("application/x-www-form-urlencoded")
    return {name: values[0] for name, values in parse_qs(reply.text).items()}


def named(admin: Caller) -> Json:
    made: Json = admin.ask("POST", "/OS-OAUTH1/consumers", {"consumer": {"description": "app"}}, status=201)
    consumer: Json = made["consumer"]
    return consumer


def asking(consumer: Json, **more: Any) -> Client:
    return Client(consumer["id"], client_secret=consumer["secret"], callback_uri="oob", **more)


def question(client: TestClient, consumer: Json, project_id: str) -> dict[str, str]:
    return form(send(client, asking(consumer), "/OS-OAUTH1/request_token", project_id=project_id))


def allow(caller: Caller, asked: Json, *roles: str, status: int = 200) -> str:
    body = {"roles": [{"name": role} for role in roles]}
    reply = caller.ask("PUT", f"/OS-OAUTH1/authorize/{asked['oauth_token']}", body, status=status)
    return str(reply["token"]["oauth_verifier"]) if status == 200 else ""


def holding(consumer: Json, token: Json, **more: Any) -> Client:
    return Client(
        consumer["id"],
        client_secret=consumer["secret"],
        resource_owner_key=token["oauth_token"],
        resource_owner_secret=token["oauth_token_secret"],
        **more,
    )


def granted(client: TestClient, consumer: Json, user: Caller, *roles: str) -> dict[str, str]:
    asked = question(client, consumer, user.project_id)
    verifier = allow(user, asked, *roles)
    return form(send(client, holding(consumer, asked, verifier=verifier), "/OS-OAUTH1/access_token"))


def enter(client: TestClient, consumer: Json, token: Json) -> Caller:
    reply = send(client, holding(consumer, token), "/auth/tokens", LOGIN)
    assert reply.status_code == 201, reply.text
    return Caller(client, reply.headers["x-subject-token"], reply.json()["token"])


def names(caller: Caller) -> set[str]:
    return {role["name"] for role in caller.body["roles"]}
