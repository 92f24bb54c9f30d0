"""Nonsense of every kind at every operation: it is refused, quickly, and nothing is kept of it (CVE-2021-40797 and its kin)."""

import gc
import random
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pileus.composition import SERVICES
from pileus.kernel.http.routes import Route
from tests.security import hostile
from tests.security.bodies import body_of
from tests.security.matrix import cells
from tests.security.world import World

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "")
NAMES = ("limit", "marker", "sort_key", "sort_dir", "sort", "fields", "name", "id", "tags", "changes-since", "status",
         "all_tenants", "ip", "page_reverse", "created_at", "member_of", "resources", "required", "in_tree", "size_min",
         "start", "end", "fixed_ips", "type", "user_id", "scope.project.id", "effective")  # fmt: skip
SEGMENTS = (
    "", ".", "..", "%2e%2e", "\x00", "a\nb", "☃", "'; --", "x" * 300, "-1", "9" * 40, "{server_id}", "null", "%"
)  # fmt: skip
HEADERS = ("accept", "content-type", "openstack-api-version", "x-openstack-nova-api-version", "range", "if-match",
           "x-subject-token", "content-length", "transfer-encoding", "forwarded", "host", "x-auth-token",
           "x-openstack-request-id", "x-image-meta-store", "content-encoding")  # fmt: skip
TOLERATED = (501,)  # what a driver can not do


@pytest.fixture(scope="module")
def paths(world: World) -> list[str]:
    return sorted({cell.path for cell in cells(world)})


words = st.one_of(st.sampled_from(SEGMENTS), st.text(max_size=20))
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("who", ["admin", "member"])
def test_random_requests(world: World, paths: list[str], who: str) -> None:
    latin = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)

    @settings(
        max_examples=400,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        method=st.sampled_from(METHODS),
        path=st.sampled_from(paths),
        changed=st.none() | st.tuples(st.integers(0, 9), words),
        query=st.lists(st.tuples(st.sampled_from(NAMES), words | st.integers().map(str)), max_size=3),
        headers=st.dictionaries(st.sampled_from(HEADERS), latin, max_size=3),
        body=st.binary(max_size=30) | json,
    )
    def check(
        method: str,
        path: str,
        changed: tuple[int, str] | None,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: object,
    ) -> None:
        if changed is not None:
            parts = path.split("/")
            parts[changed[0] % len(parts)] = changed[1]
            path = "/".join(parts)
        text = "&".join(f"{name}={value}" for name, value in query).encode("utf-8", "surrogatepass").decode("latin-1")
        answer = world.client.ask(
            method, path.replace("?", ""), body, token=world.tokens[who], headers=headers, query=text
        )
        assert answer.status < 500 or answer.status in TOLERATED, answer

    with world.taken_back():
        check()


def routes_with_bodies() -> list[tuple[str, Route]]:
    return [
        (manifest.name, route)
        for manifest in SERVICES
        for route in manifest.routes
        if any(shape is not None for _, shape in hostile.body_shapes(route))
    ]


def test_every_field_with_hostile_values(world: World) -> None:
    """A good body with one bad thing in it, for each place that the body's type names; each place gets some of the values."""
    turn = 0
    about = {(cell.operation, cell.action): cell for cell in cells(world) if cell.target != "fake"}
    broken = []
    with world.taken_back():
        for service, route in routes_with_bodies():
            operation = f"{service} {route.method} {route.path}"
            for action, shape in hostile.body_shapes(route):
                cell = about.get((operation, action))
                if cell is None:
                    continue
                good = body_of(operation, action, world.ids, "red")
                for place in hostile.fields(shape):
                    for _ in range(4):
                        value = hostile.VALUES[(turn := turn + 1) % len(hostile.VALUES)]
                        at = (action, *place) if action else place
                        bad = hostile.with_value(good, at, value)
                        version = f"compute {cell.version},placement 1.39"
                        answer = world.ask("admin", route.method, cell.path, bad, openstack_api_version=version)
                        if answer.status >= 500 and answer.status not in TOLERATED:
                            broken.append(f"{operation} {'.'.join(at)} = {str(value)[:40]!r}: {answer.status}")
    assert broken == []


def test_every_query_with_hostile_values(world: World) -> None:
    """Filters of every list: nothing that a query can say breaks the database."""
    values = ("", "\x00", "-1", "9" * 30, "[", "(", "*", "a" * 5000, "%25", "'", "1e5", "None", "☃", "in:", "!", "gt:x")
    broken = []
    turn = 0
    for path in sorted({c.path for c in cells(world) if c.method == "GET" and "{" not in c.operation}):
        for name in NAMES:
            value = values[(turn := turn + 1) % len(values)]
            query = f"{name}={value}".encode().decode("latin-1")
            answer = world.client.ask("GET", path, token=world.tokens["admin"], query=query)
            if answer.status >= 500 and answer.status not in TOLERATED:
                broken.append(f"{path} {name}={value[:20]!r}: {answer.status}")
    assert broken == []


@pytest.mark.parametrize(
    "query",
    [
        "tags=" + ",".join(f"t{i}" for i in range(1500)),
        "tags-any=" + ",".join(f"t{i}" for i in range(9000)),
        "&".join(f"status=S{i}" for i in range(1500)),
        "&".join(f"vm_state=S{i}" for i in range(1500)),
        "&".join("sort_key=name&sort_dir=asc" for _ in range(1500)),
        "marker=@&" + "&".join("sort_key=name" for _ in range(1500)),
        "&".join(f"id=i{i}" for i in range(8000)),
        "&".join(f"name=n{i}" for i in range(1500)),
        "metadata=" + ",".join(f"'k{i}':'v'" for i in range(1500)),
        "limit=" + "9" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["/compute/v2.1/servers", "/network/v2.0/ports", "/image/v2/images"])
def test_long_queries(world: World, path: str, query: str) -> None:
    """As long as a server's line limit lets through (64 KiB): refused or answered, never the database's error."""
    first = world.ids["red"]["server" if "compute" in path else "port" if "network" in path else "image"]
    answer = world.client.ask("GET", path, token=world.tokens["member"], query=query.replace("@", first))
    assert answer.status < 500, answer.body


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("name", "(a+)+$b"), ("name", "(a|a|a)*b"), ("description", "(a*)*b"), ("name", "a?" * 40 + "a" * 40),
     ("ip", "([0-9.]+)+x"), ("ip", "(.*)*x"), ("name", ".*.*.*.*.*.*.*b"), ("hostname", "(a|aa)+$b")],
)  # fmt: skip
def test_patterns_that_never_end(world: World, name: str, pattern: str) -> None:
    """A regular expression of one caller may not stop the API for all (catastrophic backtracking)."""
    wish = {"name": "a" * 200, "description": "a" * 200, "hostname": "a" * 60}
    red = world.ids["red"]["server"]
    world.must("member", "PUT", f"/compute/v2.1/servers/{red}", {"server": wish})
    query = f"{name}={pattern.replace('+', '%2B')}"
    reply = world.client.ask("GET", "/compute/v2.1/servers", token=world.tokens["member"], query=query)
    assert reply.status in (200, 400)


def test_how_many_servers_is_not_counted_down(world: World) -> None:
    """Billions of servers asked for are as quickly answered as three: up to the quota, or refused."""
    wish = {"name": "x", "imageRef": world.ids["shared"]["image"], "flavorRef": "42", "networks": "none"}
    with world.taken_back():
        for counts in ({"max_count": 2**40}, {"min_count": 2**40}, {"min_count": 1, "max_count": 2**62}):
            answer = world.ask("member", "POST", "/compute/v2.1/servers", {"server": wish | counts})
            assert answer.status in (202, 400, 403)


def resident() -> int:
    """Bytes."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_memory_is_flat_over_random_addresses(world: World) -> None:
    """20,000 addresses that nobody asked before, with and without a token, leave nothing behind."""
    chance = random.Random(1)

    def visit(count: int) -> None:
        for index in range(count):
            noise = "".join(chance.choices(string.ascii_letters + "/", k=40))
            service = chance.choice(("identity", "image", "network", "compute", "placement", noise))
            base = chance.choice(("v2.1/servers", "v3/users", "v2/images", "v2.0/ports", noise))
            token = world.tokens["member"] if index % 10 == 0 else noise if index % 2 else None
            answer = world.client.ask("GET", f"/{service}/{base}/{noise}", token=token)
            assert answer.status in (400, 401, 403, 404, 405, 300), answer.body

    visit(3000)
    gc.collect()
    before = resident()
    visit(20000)
    gc.collect()
    assert resident() - before < 8 * 1024 * 1024
