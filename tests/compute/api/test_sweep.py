"""Every operation of compute, given what nobody should send: it refuses, with compute's own form, and never breaks."""

import inspect
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from starlette.testclient import TestClient

from pileus.compute.manifest import MANIFEST
from pileus.compute.removed import routes as removed
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


QUERY_NAMES = ("limit", "marker", "sort_key", "sort_dir", "offset", "changes-since", "start", "all_tenants", "x")
QUERY_VALUES = ("", "-1", "x", "9" * 30, "%00", "%E2%98%83", "true")


def routes(*methods: str) -> list[Route]:
    """Those that do something."""
    return [route for route in MANIFEST.routes if route.method in methods and route not in removed.ROUTES]


def named(route: Route) -> str:
    return f"{route.method} {route.path} {route.since or ''}-{route.until or ''}"


def headers(route: Route) -> dict[str, str]:
    spoken = route.until or "2.96"
    return {"x-auth-token": ADMIN, "openstack-api-version": f"compute {spoken}"}


def filled(route: Route, value: str) -> str:
    return "/compute" + re.sub(r"\{[^}]*\}", value, route.path)


def takes_a_body(route: Route) -> bool:
    return route.handler is None or "body" in inspect.signature(route.handler).parameters


def bodies(route: Route) -> Iterator[Any]:
    yield from GARBAGE
    for name in (*WRAPPERS, *(route.actions or {})):
        for inner in GARBAGE:
            yield {name: inner}


def test_who_has_no_token_gets_nothing(client: TestClient) -> None:
    for route in MANIFEST.routes:
        version = {name: value for name, value in headers(route).items() if name != "x-auth-token"}
        reply = client.request(route.method, filled(route, "x"), headers=version)
        assert reply.status_code == (200 if route.rules == [PUBLIC] else 401), named(route)


def test_bodies_that_fit_nothing(client: TestClient, server: Maker) -> None:
    server_id = server()
    for route in routes("POST", "PUT"):
        at = filled(route, server_id if "{server_id}" in route.path else "42" if "{flavor_id}" in route.path else "1")
        taken = 0
        for body in bodies(route) if takes_a_body(route) else ():
            reply = client.request(route.method, at, json=body, headers=headers(route))
            assert reply.status_code < 500 or reply.status_code == 501, f"{named(route)} {body}: {reply.text}"
            taken += reply.status_code < 300
        assert taken <= len(WRAPPERS), named(route)


def test_names_of_nothing(client: TestClient) -> None:
    for route in routes("GET", "DELETE"):
        for name in NAMES if "{" in route.path else ():
            reply = client.request(route.method, filled(route, name), headers=headers(route))
            assert reply.status_code < 500, f"{named(route)} {name}: {reply.text}"


def test_queries_that_mean_nothing(client: TestClient, host: Maker, server: Maker) -> None:
    host("n1")
    server(host="n1")
    for route in routes("GET"):
        lists = "{" not in route.path and route.rules != [PUBLIC]
        for name, value in product(QUERY_NAMES, QUERY_VALUES) if lists else ():
            reply = client.get(f"{filled(route, '')}?{name}={value}", headers=headers(route))
            assert reply.status_code < 500, f"{named(route)} {name}={value}: {reply.text}"
