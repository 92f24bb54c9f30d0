"""Every operation of compute, given what nobody should send: it refuses, with compute's own form, and never breaks."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.compute.manifest import MANIFEST
from pileus.kernel.http.routes import PUBLIC, Route
from tests.compute.api.conftest import Maker

ADMIN = "p1:admin,manager,member,reader"
GARBAGE: tuple[Any, ...] = (None, [], "text", 7, True, {}, {"x": 1}, {"x": {"y": []}}, [[]], {"": None})
WRAPPERS = (
    "flavor",
    "keypair",
    "server",
    "aggregate",
    "server_group",
    "quota_set",
    "metadata",
    "meta",
    "tags",
    "events",
)
NAMES = ("none", "0", "-1", "9" * 40, "n" * 300, "a%00b", "%E2%98%83", "a%20b", "..%2F..", "'; --")


def routes(*methods: str) -> list[Route]:
    return [route for route in MANIFEST.routes if route.method in methods]


def named(route: Route) -> str:
    return f"{route.method} {route.path} {route.since or ''}-{route.until or ''}"


def headers(route: Route) -> dict[str, str]:
    spoken = route.until or "2.96"
    return {"x-auth-token": ADMIN, "openstack-api-version": f"compute {spoken}"}


def filled(route: Route, value: str) -> str:
    return "/compute" + re.sub(r"\{[^}]*\}", value, route.path)


def bodies(route: Route) -> Iterator[Any]:
    yield from GARBAGE
    for name in (*WRAPPERS, *(route.actions or {})):
        for inner in GARBAGE:
            yield {name: inner}


@pytest.mark.parametrize("route", routes("GET", "POST", "PUT", "DELETE"), ids=named)
def test_who_has_no_token_gets_nothing(client: TestClient, route: Route) -> None:
    if route.rules == [PUBLIC]:
        assert client.request(route.method, filled(route, "x")).status_code == 200
        return
    reply = client.request(route.method, filled(route, "x"), json={} if route.method != "GET" else None)
    assert reply.status_code == 401


@pytest.mark.parametrize("route", routes("POST", "PUT"), ids=named)
def test_bodies_that_fit_nothing(client: TestClient, server: Maker, route: Route) -> None:
    server_id = server()
    at = filled(route, server_id if "{server_id}" in route.path else "42" if "{flavor_id}" in route.path else "1")
    takes = 0
    for body in bodies(route):
        reply = client.request(route.method, at, json=body, headers=headers(route))
        assert reply.status_code < 500 or reply.status_code == 501, f"{body}: {reply.text}"
        takes += reply.status_code < 300
    assert takes <= len(WRAPPERS)


@pytest.mark.parametrize("route", [r for r in routes("GET", "DELETE") if "{" in r.path], ids=named)
def test_names_of_nothing(client: TestClient, route: Route) -> None:
    for name in NAMES:
        reply = client.request(route.method, filled(route, name), headers=headers(route))
        assert reply.status_code < 500, f"{name}: {reply.text}"


@pytest.mark.parametrize("route", [r for r in routes("GET") if "{" not in r.path and r.rules != [PUBLIC]], ids=named)
def test_queries_that_mean_nothing(client: TestClient, host: Maker, server: Maker, route: Route) -> None:
    host("n1")
    server(host="n1")
    for name in (
        "limit",
        "marker",
        "sort_key",
        "sort_dir",
        "offset",
        "changes-since",
        "start",
        "end",
        "all_tenants",
        "x",
    ):
        for value in ("", "-1", "x", "9" * 30, "%00", "%E2%98%83", "true"):
            for version in ("2.1", route.until or "2.96"):
                asked = headers(route) | {"openstack-api-version": f"compute {version}"}
                reply = client.get(f"{filled(route, '')}?{name}={value}", headers=asked)
                assert reply.status_code < 500, f"{name}={value}: {reply.text}"
