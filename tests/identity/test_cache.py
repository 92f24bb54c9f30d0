"""The cache: one contract for both, what memcached may know and make us believe, and what its death costs."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pymemcache.client.base import Client
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.memory import FRESH, Verified
from pileus.kernel import cache, config, memcached
from pileus.kernel.cache import Cache, Memory
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.kernel.http.app import App
from pileus.kernel.memcached import Memcached
from tests.cloud import cloud_of
from tests.identity.conftest import QUICK
from tests.identity.people import Caller, log_in

BOUND = 0.3  # seconds: what a server that does not answer may cost once, and a little for a busy machine


class Server:
    """A memcached of its own on a free port of the loopback."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.made: list[Memcached] = []
        self.start()

    def start(self) -> None:
        command = ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "8", "-t", "1"]
        command += ["-u", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "memcached does not listen"
                time.sleep(0.01)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(10)
        for made in self.made:
            made.close()

    def near(self, secret: str = "secret") -> Memcached:
        made = Memcached([("127.0.0.1", self.port)], secret)
        self.made.append(made)
        return made

    @contextmanager
    def raw(self) -> Iterator[Client]:
        client = Client(("127.0.0.1", self.port), timeout=2, default_noreply=False)
        try:
            yield client
        finally:
            client.close()

    def names(self) -> list[str]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as line, line.makefile("rb") as words:
            line.sendall(b"lru_crawler metadump all\r\n")
            found = []
            while (said := words.readline().strip()) != b"END":
                found.append(said.split()[0].removeprefix(b"key=").decode())
            return found


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture(params=["memory", "memcached"])
def either(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        yield Memory()
        return
    server = Server()
    yield server.near()
    server.stop()


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def test_what_every_cache_does(either: Cache) -> None:
    assert either.get("a") is None
    either.set("a", b"1", 60)
    either.set("b", b"", 60)
    either.set("a long name with spaces, ü and\nlines " * 20, bytes(range(256)) * 100, 60)
    assert (either.get("a"), either.get("b"), either.get("c")) == (b"1", b"", None)
    assert either.get("a long name with spaces, ü and\nlines " * 20) == bytes(range(256)) * 100
    either.set("a", b"2", 60)
    assert either.get("a") == b"2"
    either.delete("a")
    either.delete("a")
    assert (either.get("a"), either.get("b")) == (None, b"")


def test_entries_end_after_parts_of_a_second(either: Cache) -> None:
    either.set("a", b"1", 0.2)
    assert either.get("a") == b"1"
    time.sleep(0.25)
    assert either.get("a") is None


def test_memory_is_bounded() -> None:
    small = Memory(most=3)
    for name in "abc":
        small.set(name, name.encode(), 60)
    small.get("a")
    small.set("d", b"d", 60)
    assert [small.get(name) for name in "abcd"] == [b"a", None, b"c", b"d"]


def test_another_node_sees_it_and_a_stranger_does_not(server: Server) -> None:
    server.near().set("a", b"value", 60)
    assert server.near().get("a") == b"value"
    assert server.near("other").get("a") is None


def test_memcached_learns_neither_names_nor_values(server: Server) -> None:
    server.near().set("token:gAAAAAB-abc", b"user alice, role admin", 60)
    (name,) = server.names()
    with server.raw() as raw:
        held = raw.get(name)
    assert len(name) == 64
    for part in (b"alice", b"admin", b"gAAAAAB"):
        assert part not in name.encode() + held


def test_nothing_of_memcached_is_believed(server: Server) -> None:
    ours = server.near()
    ours.set("mallory", b"may nothing", 60)
    ours.set("admin", b"may everything", 60)
    with server.raw() as raw:
        names = {ours._place("mallory"): ours._place("admin")}
        for mine, theirs in names.items():
            held, wanted = raw.get(mine), raw.get(theirs)
            for forged in (
                wanted,
                b"",
                b"x" * 11,
                b"may everything",
                bytes(60),
                held[:-1],
                held + b"x",
                held[:12] + wanted[12:],
            ):
                raw.set(mine, forged)
                assert ours.get("mallory") is None, forged
            raw.set(mine, held)
            assert ours.get("mallory") == b"may nothing"


def test_an_old_entry_put_back_is_too_old(server: Server) -> None:
    ours = server.near()
    ours.set("a", b"then", 0.2)
    with server.raw() as raw:
        held = raw.get(ours._place("a"))
        time.sleep(0.25)
        raw.set(ours._place("a"), held)
        assert ours.get("a") is None


@pytest.mark.parametrize("how", ["dead", "mute"])
def test_a_server_that_is_gone_costs_little_and_only_once(
    server: Server, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memcached, "PAUSE", 0.5)
    ours = server.near()
    ours.set("a", b"1", 60)
    if how == "dead":
        server.stop()
    else:
        server.process.send_signal(signal.SIGSTOP)
    assert timed(lambda: ours.get("a")) < BOUND
    assert timed(lambda: ours.get("a")) < 0.01
    assert timed(lambda: ours.set("b", b"2", 60)) < 0.01
    assert timed(lambda: ours.delete("a")) < 0.01
    assert ours.get("a") is None
    if how == "dead":
        server.start()
    else:
        server.process.send_signal(signal.SIGCONT)
    time.sleep(0.6)
    ours.set("b", b"2", 60)
    assert ours.get("b") == b"2", "it is asked again"


def test_no_server_at_all() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        nobody = Memcached([("127.0.0.1", held.getsockname()[1])], "secret")
        assert timed(lambda: nobody.get("a")) < BOUND
        assert timed(lambda: nobody.set("a", b"", 1)) < 0.01
        nobody.close()


def test_the_setting(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "cache_secret").write_text("s")
    made = cache.of(config.load(tmp_path, None, {}, {}))
    assert isinstance(made, Memory)
    made = cache.of(config.load(tmp_path, None, {}, {"cache": "memcached://127.0.0.1:1,[::1]:2"}))
    assert isinstance(made, Memcached)
    for wrong in ("redis://x:1", "memcached://", "memcached://x:y", "memcached", ""):
        with pytest.raises(ConfigError, match="cache"):
            cache.of(config.load(tmp_path, None, {}, {"cache": wrong}))


class Node:
    """One of several API nodes on the same database."""

    def __init__(self, cloud: Cloud, patch: pytest.MonkeyPatch) -> None:
        cloud.add(Hasher(QUICK))
        self.client = TestClient(App(cloud, [MANIFEST]))
        self.verified = 0
        tokens = cloud.part(TokenAuthenticator)
        real = tokens.verify

        def verify(db: Session, token: str) -> Verified:
            self.verified += 1
            return real(db, token)

        patch.setattr(tokens, "verify", verify)

    def ask(self, token: str) -> int:
        return self.client.get("/identity/v3/auth/projects", headers={"x-auth-token": token}).status_code


@pytest.fixture
def nodes(seeded: Path, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Node, Node]]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    (tmp_path / "secrets" / "cache_secret").write_text("shared by the nodes")
    place = {"cache": f"memcached://127.0.0.1:{server.port}"}
    with ExitStack() as stack:
        first, second = [stack.enter_context(cloud_of(tmp_path, MANIFEST, overrides=place)) for _ in range(2)]
        for cloud in (first, second):
            stack.callback(cloud.part(Cache).close)
        yield Node(first, monkeypatch), Node(second, monkeypatch)


def on(node: Node) -> Caller:
    return log_in(node.client, "admin", project="admin")


def test_a_node_believes_what_another_verified(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    admin = on(first)
    assert first.ask(admin.token) == 200
    assert second.ask(admin.token) == 200
    assert (first.verified, second.verified) == (1, 0)


def test_a_revoked_token_ends_at_once_here_and_soon_elsewhere(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    admin = on(first)
    assert (first.ask(admin.token), second.ask(admin.token)) == (200, 200)
    admin.ask("DELETE", "/auth/tokens", status=204, headers={"x-subject-token": admin.token})
    ended = time.monotonic()
    assert first.ask(admin.token) == 401, "what the other node wrote to the cache is not asked now"
    while second.ask(admin.token) != 401:
        assert time.monotonic() - ended < 2 * FRESH + 0.1
        time.sleep(0.02)
    time.sleep(FRESH)
    assert (first.ask(admin.token), second.ask(admin.token)) == (401, 401)


def test_a_busy_token_is_not_kept_alive_by_being_passed_around(nodes: tuple[Node, Node]) -> None:
    """Each node asks all the time, and takes what the other has: an entry's age is that of the rows, not of the copy."""
    first, second = nodes
    admin, other = on(first), on(second)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert (first.ask(other.token), second.ask(other.token)) == (200, 200)
    admin.ask("DELETE", "/auth/tokens", status=204, headers={"x-subject-token": other.token})
    ended = time.monotonic()
    while {first.ask(other.token), second.ask(other.token)} != {401}:
        assert time.monotonic() - ended < 2 * FRESH + 0.1


def test_memcached_dies_in_the_middle(nodes: tuple[Node, Node], server: Server) -> None:
    first, second = nodes
    admin = on(first)
    assert first.ask(admin.token) == 200
    server.stop()
    started = time.monotonic()
    for _ in range(20):
        assert (first.ask(admin.token), second.ask(admin.token)) == (200, 200)
        time.sleep(FRESH / 10)
    assert time.monotonic() - started < 20 * FRESH / 10 + 2 * BOUND + 2


def test_what_somebody_wrote_to_memcached_is_no_token(nodes: tuple[Node, Node], server: Server) -> None:
    first, second = nodes
    admin = on(first)
    assert first.ask(admin.token) == 200
    with server.raw() as raw:
        held = {name: raw.get(name) for name in server.names()}
        assert held
        place = server.near("shared by the nodes")._place("token:mine")
        for value in held.values():
            raw.set(place, value)
    assert second.ask("mine") == 401


def test_what_narrows_a_token_comes_along(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    admin = on(first)
    rule = {"service": "identity", "method": "GET", "path": "/v3/auth/projects"}
    body = {"application_credential": {"name": "narrow", "access_rules": [rule]}}
    made = admin.ask("POST", f"/users/{admin.user_id}/application_credentials", body, status=201)[
        "application_credential"
    ]
    proof = {
        "methods": ["application_credential"],
        "application_credential": {"id": made["id"], "secret": made["secret"]},
    }
    reply = first.client.post("/identity/v3/auth/tokens", json={"auth": {"identity": proof}})
    token = reply.headers["x-subject-token"]
    assert first.ask(token) == 200
    assert second.ask(token) == 200
    assert second.client.get("/identity/v3/users", headers={"x-auth-token": token}).status_code == 403
    assert second.verified == 0
    shown = [
        node.client.get("/identity/v3/auth/tokens", headers={"x-auth-token": on(node).token, "x-subject-token": token})
        for node in nodes
    ]
    assert shown[0].json() == shown[1].json()
    assert shown[1].json()["token"]["application_credential"]["access_rules"][0]["path"] == rule["path"]
