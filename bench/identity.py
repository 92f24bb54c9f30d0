"""Identity by the number of users: what a validation, a rescope, a login and lists cost, and that it stays so."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

from tests.system.installation import ENDPOINT, Installation

from bench.clouds import cloud
from bench.figures import Figure
from bench.operations import Request, Sample, drive
from bench.people import Crowd, project_id, user_id

COUNTS = (100, 1_000, 10_000)
SECONDS = 1.0  # of each run
CLIENTS = 4
TOKENS = 1_500  # so many that none is remembered when its turn comes again
PAGE = 100
UPSTREAM = {  # ms CPU there, and which part of that is aimed at
    "token validated": (4.3, 20),
    "token to token": (52.0, 20),
    "password login": (266.0, 5),
}


def measure(runs: int) -> list[Figure]:
    curves: dict[str, list[Figure]] = {}
    with cloud("--fake") as running:
        crowd = Crowd(running.state)
        for count in COUNTS:
            crowd.grow(count)
            for name, request in operations(running, count):
                samples = [_sample(running, request) for _ in range(runs)]
                curves.setdefault(name, []).append(_figure(name, count, samples))
        whole = [_whole(running, path, runs) for path in ("/identity/v3/users", "/identity/v3/role_assignments")]
    return [figure for figures in curves.values() for figure in figures] + whole


def operations(cloud: Installation, count: int) -> Iterator[tuple[str, Request | Iterator[Request]]]:
    admin = {"x-auth-token": cloud.token("admin")}
    one = count // 2
    login = _login(cloud, one)
    token = send(login)[0]["x-subject-token"]
    validate = Request("GET", "/identity/v3/auth/tokens", admin | {"x-subject-token": token})
    yield "token validated", validate
    yield "token to token", _rescope(token, one)
    yield "password login", login
    yield f"page of {PAGE} users", Request("GET", f"/identity/v3/users?limit={PAGE}", admin)
    yield (
        f"page of {PAGE} users in the middle",
        Request("GET", f"/identity/v3/users?limit={PAGE}&marker={user_id(one)}", admin),
    )
    yield f"page of {PAGE} assignments", Request("GET", f"/identity/v3/role_assignments?limit={PAGE}", admin)
    yield "a user's assignments", Request("GET", f"/identity/v3/role_assignments?user.id={user_id(one)}", admin)
    yield "a user by name", Request("GET", f"/identity/v3/users?name=crowd-{one}", admin)
    yield "token validated for the first time", _strangers(admin, token, one)


def _strangers(admin: dict[str, str], token: str, one: int) -> Iterator[Request]:
    """Validations of so many tokens that none is remembered when its turn comes again."""
    tokens = [send(_rescope(token, one))[0]["x-subject-token"] for _ in range(TOKENS)]
    return cycle([Request("GET", "/identity/v3/auth/tokens", admin | {"x-subject-token": each}) for each in tokens])


def _login(cloud: Installation, number: int) -> Request:
    user = {"id": user_id(number), "password": cloud.secret("demo_password")}
    identity = {"methods": ["password"], "password": {"user": user}}
    return _issue(identity, number)


def _rescope(token: str, number: int) -> Request:
    return _issue({"methods": ["token"], "token": {"id": token}}, number)


def _issue(identity: dict[str, Any], number: int) -> Request:
    body = {"auth": {"identity": identity, "scope": {"project": {"id": project_id(number)}}}}
    return Request("POST", "/identity/v3/auth/tokens", {}, json.dumps(body).encode(), 201)


def send(request: Request) -> tuple[dict[str, str], Any]:
    connection = HTTPConnection(urlsplit(ENDPOINT).netloc, timeout=60)
    try:
        headers = request.headers | {"content-type": "application/json"}
        connection.request(request.method, request.path, request.body, headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != request.status:
            raise RuntimeError(f"{request.method} {request.path}: {reply.status} {text[:200]!r}")
        return {name.lower(): value for name, value in reply.getheaders()}, json.loads(text)
    finally:
        connection.close()


def _sample(cloud: Installation, request: Request | Iterator[Request]) -> Sample:
    drive(cloud, request, 1, 0.1)  # warm
    return drive(cloud, request, CLIENTS, SECONDS)


def _figure(name: str, count: int, samples: list[Sample]) -> Figure:
    theirs, part = UPSTREAM.get(name, (None, 1))
    note = f"median of a request {sorted(s.took for s in samples)[len(samples) // 2]:.1f} ms"
    if theirs is not None:
        note = f"upstream {theirs:g} ms; {note}"
    cpu, others = [sample.cpu for sample in samples], [sample.others for sample in samples]
    return Figure(f"{name}, {count:,} users", "ms CPU", cpu, others, theirs / part if theirs else None, note)


def _whole(cloud: Installation, path: str, runs: int) -> Figure:
    request = Request("GET", path, {"x-auth-token": cloud.token("admin")})
    held = next(value for value in send(request)[1].values() if isinstance(value, list))
    figure = _figure("", COUNTS[-1], [drive(cloud, request, 1, SECONDS) for _ in range(runs)])
    return replace(figure, name=f"GET {path} whole: {len(held):,}")
