"""Servers that are slow, lie, or never end. Each test is over within its limits, not when the server likes."""

import itertools
import socket
import time

import msgspec
import pytest

from pileus.image.web import Failed, Response, TooLarge, Web, WebSettings, response
from tests.image.web.server import Answer, head, says, sends, serving

LIMITS = WebSettings(
    allow=("127.0.0.1",), connect_timeout=20, answer_timeout=20, idle_timeout=20, whole_timeout=20, max_head=4096
)
SOON = 10  # seconds: more than any of the limits that tests set, also on a busy machine; less than those above


def drips(first: bytes, then: bytes, pause: float = 0.02) -> Answer:
    """`first`, then `then` again and again, until the other side has enough."""

    def answer(request: str, connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(1000):
            connection.sendall(then)
            time.sleep(pause)

    return answer


def floods(first: bytes, then: bytes) -> Answer:
    def answer(request: str, connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(100_000):
            connection.sendall(then)

    return answer


def hangs(first: bytes) -> Answer:
    def answer(request: str, connection: socket.socket) -> None:
        connection.sendall(first)
        connection.recv(1)  # until the other side hangs up

    return answer


def drain(response: Response) -> int:
    with response:
        return sum(len(block) for block in iter(lambda: response.read(65536), b""))


@pytest.mark.parametrize(
    "answer",
    [
        hangs(b""),
        hangs(b"HTTP/1.1 200 OK\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.2),
    ],
    ids=["silence", "half a head", "endless line", "endless headers", "interim answers"],
)
def test_slow_heads(answer: Answer) -> None:
    with serving(answer) as server:
        begun = time.monotonic()
        with pytest.raises(Failed, match="in time"):
            Web(limits(answer_timeout=0.5)).open(f"http://127.0.0.1:{server.port}/")
        assert time.monotonic() - begun < SOON


@pytest.mark.parametrize(
    "answer",
    [
        floods(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
        floods(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
        floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        floods(b"", b"x" * 1000),
        says("200 OK", b"", *(f"X-{number}: {'x' * 100}" for number in range(100))),
    ],
    ids=["endless line", "endless headers", "interim answers", "no HTTP", "large head"],
)
def test_large_heads(answer: Answer) -> None:
    with serving(answer) as server, pytest.raises(Failed, match=r"valid HTTP|web server"):
        Web(LIMITS).open(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 1000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n",
    ],
)
def test_heads_that_are_wrong(data: bytes) -> None:
    with serving(sends(data)) as server, pytest.raises(Failed):
        Web(LIMITS).open(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "data",
    [
        head("200 OK", "Content-Length: 10") + b"short",
        head("200 OK", "Content-Length: 10"),
        head("200 OK", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"5\r\nhel",
        head("200 OK", "Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"5\r\nhello!!0\r\n\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"5;" + b"x" * 1000000 + b"\r\nhello\r\n0\r\n\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"0\r\n" + b"X: y\r\n" * 10000,
    ],
)
def test_bodies_that_end_early_or_wrong(data: bytes) -> None:
    with serving(sends(data)) as server:
        response = Web(LIMITS).open(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(Failed):
            drain(response)


def test_a_body_longer_than_said_is_cut() -> None:
    with (
        serving(sends(head("200 OK", "Content-Length: 5") + b"hello and more")) as server,
        Web(LIMITS).open(f"http://127.0.0.1:{server.port}/") as response,
    ):
        assert response.read(100) == b"hello"
        assert response.read(100) == b""


def test_a_body_without_end_stops_at_the_limit() -> None:
    with serving(floods(head("200 OK"), b"x" * 65536)) as server:
        response = Web(LIMITS).open(f"http://127.0.0.1:{server.port}/", limit=1 << 20)
        with pytest.raises(TooLarge):
            drain(response)


def test_a_server_may_think_longer_than_connecting_may_take() -> None:
    def answer(request: str, connection: socket.socket) -> None:
        time.sleep(0.3)
        says("200 OK", b"thought")(request, connection)

    with (
        serving(answer) as server,
        Web(limits(connect_timeout=0.1)).open(f"http://127.0.0.1:{server.port}/") as response,
    ):
        assert response.read(10) == b"thought"


def test_a_body_that_stops() -> None:
    with serving(hangs(head("200 OK", "Content-Length: 10") + b"hello")) as server:
        begun = time.monotonic()
        response = Web(limits(idle_timeout=0.3)).open(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(Failed, match="in time"):
            drain(response)
        assert time.monotonic() - begun < SOON


def test_all_together_may_be_over_before_one_wait_is() -> None:
    with serving(hangs(head("200 OK", "Content-Length: 10"))) as server:
        begun = time.monotonic()
        response = Web(limits(whole_timeout=0.3)).open(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(Failed, match="in time"):
            drain(response)
        assert time.monotonic() - begun < SOON


def test_a_body_that_drips() -> None:
    with serving(drips(head("200 OK", "Content-Length: 1000000"), b"x")) as server:
        begun = time.monotonic()
        response = Web(limits(whole_timeout=1)).open(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(Failed, match="in time"):
            drain(response)
        assert 0.9 < time.monotonic() - begun < SOON


def test_a_slow_body_comes_in_small_blocks() -> None:
    """So that whoever reads can say that it is still alive."""
    with serving(drips(head("200 OK", "Content-Length: 1000000"), b"x", 0.1)) as server:
        begun = time.monotonic()
        with Web(limits(whole_timeout=0)).open(f"http://127.0.0.1:{server.port}/") as response:
            assert 1 <= len(response.read(1000)) < 30
        assert time.monotonic() - begun < SOON


@pytest.mark.parametrize(
    "shown",
    [
        "bytes 0-9/10",
        "bytes 6-9/10",
        "bytes */10",
        "bytes 5-9",
        "items 5-9/10",
        "bytes 5-9/",
        "bytes -5-9/10",
        "bytes 5-9/" + "9" * 100,
        None,
    ],
)
def test_other_ranges_than_asked_for(shown: str | None) -> None:
    fields = [] if shown is None else [f"Content-Range: {shown}"]
    with (
        serving(says("206 Partial Content", b"56789", *fields)) as server,
        pytest.raises(Failed),
    ):
        Web(LIMITS).open(f"http://127.0.0.1:{server.port}/", offset=5)


@pytest.mark.parametrize("body", [b"5678", b"56789+"])
def test_ranges_of_another_length(body: bytes) -> None:
    with serving(says("206 Partial Content", body, "Content-Range: bytes 5-9/10")) as server:
        response = Web(LIMITS).open(f"http://127.0.0.1:{server.port}/", offset=5)
        with pytest.raises(Failed):
            drain(response)


def test_an_offset_beyond_the_end() -> None:
    for answer in (says("416 Range Not Satisfiable"), says("200 OK", b"short")):
        with serving(answer) as server, pytest.raises(Failed):
            Web(LIMITS).open(f"http://127.0.0.1:{server.port}/", offset=100)


def test_redirects_bodies_are_not_read() -> None:
    paths = itertools.count()

    def answer(request: str, connection: socket.socket) -> None:
        if next(paths) == 0:
            floods(head("302 Found", "Location: /there"), b"x" * 65536)(request, connection)
        else:
            says("200 OK", b"there")(request, connection)

    with (
        serving(answer) as server,
        Web(LIMITS).open(f"http://127.0.0.1:{server.port}/") as response,
    ):
        assert response.read(10) == b"there"


def limits(**changes: float) -> WebSettings:
    return msgspec.structs.replace(LIMITS, **changes)


@pytest.mark.parametrize(("slowest", "enough"), [(100_000, False), (1000, True), (0, True)])
def test_a_server_that_is_too_slow(monkeypatch: pytest.MonkeyPatch, slowest: int, enough: bool) -> None:
    """It would hold one of the few workers for hours; what the reader does in between does not count."""
    monkeypatch.setattr(response, "PERIOD", 0.2)
    limits = msgspec.structs.replace(LIMITS, slowest=slowest)
    body = b"x" * 200
    with serving(drips(head("200 OK", f"Content-Length: {len(body) * 30}"), body)) as server:
        found = Web(limits).open(f"http://127.0.0.1:{server.port}/")
        if enough:
            time.sleep(0.3)
            assert drain(found) == len(body) * 30
        else:
            with pytest.raises(Failed, match="too slowly"):
                drain(found)
