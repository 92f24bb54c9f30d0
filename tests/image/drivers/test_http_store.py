"""The store whose images stay on others' web servers."""

import random
import socket

import pytest

from pileus.image.drivers.base import DataKey, StoreFailed
from pileus.image.drivers.http import HttpSource, HttpStore
from pileus.image.web import Web, WebSettings
from tests.image.web.server import files, head, redirects, says, sends, serving

DATA = random.Random(4).randbytes(1 << 20)


def store(*allow: str) -> HttpStore:
    return HttpStore("web", Web(WebSettings(allow=allow or ("127.0.0.1",), idle_timeout=2)))


def key(port: int, path: str = "/image") -> DataKey:
    return DataKey("an-image", f"http://127.0.0.1:{port}{path}")


def whole(source: HttpSource, block: int = 100_000) -> bytes:
    return b"".join(source.read(offset, block) for offset in range(0, source.size, block))


def test_reads_in_order_share_one_request() -> None:
    with serving(files(DATA)) as server:
        source = store().open(key(server.port))
        assert source.size == len(DATA)
        assert whole(source) == DATA
        assert source.read(len(DATA), 10) == b""
        assert source.read(len(DATA) + 5, 10) == b""
        source.close()
        source.close()
    assert len(server.heads) == 1


@pytest.mark.parametrize(("ranges", "requests"), [(True, 4), (False, 2)])
def test_reads_in_any_order(ranges: bool, requests: int) -> None:
    with serving(files(DATA, ranges=ranges)) as server:
        source = store().open(key(server.port))
        assert source.read(500_000, 1000) == DATA[500_000:501_000]
        assert source.read(501_000, 10) == DATA[501_000:501_010]
        assert source.read(len(DATA) - 5, 1000) == DATA[-5:]
        assert source.read(7, 3) == DATA[7:10]
        source.close()
    assert len(server.heads) == requests


def test_fragments_are_kept_and_never_sent() -> None:
    with serving(files(DATA)) as server:
        named = key(server.port, "/image#new")
        assert store().url(named) == f"http://127.0.0.1:{server.port}/image#new"
        source = store().open(named)
        source.close()
    assert "#" not in server.heads[0]


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_what_is_not_there(status: str) -> None:
    with serving(says(status)) as server, pytest.raises(FileNotFoundError):
        store().open(key(server.port))


def test_servers_that_fail() -> None:
    for answer in (
        says("403 Forbidden"),
        says("500 Oops"),
        sends(b"nonsense"),
        sends(b"HTTP/1.0 200 OK\r\n\r\nno length"),
    ):
        with serving(answer) as server, pytest.raises(StoreFailed):
            store().open(key(server.port))
    with pytest.raises(StoreFailed):
        store().open(key(server.port))


def test_an_image_that_ends_early() -> None:
    with serving(sends(head("200 OK", "Content-Length: 100") + b"short")) as server:
        source = store().open(key(server.port))
        with pytest.raises(StoreFailed):
            source.read(0, 100)
        source.close()


def test_an_image_that_changes_size_or_goes() -> None:
    answers = [files(DATA), files(DATA + b"more"), says("404 Not Found")]

    def answer(request: str, connection: socket.socket) -> None:
        answers.pop(0)(request, connection)

    with serving(answer) as server:
        source = store().open(key(server.port))
        with pytest.raises(StoreFailed, match="changed"):
            source.read(1000, 10)
        with pytest.raises(StoreFailed, match="404"):
            source.read(1000, 10)
        source.close()


def test_urls_are_filtered() -> None:
    with serving(files(DATA)) as server:
        with pytest.raises(StoreFailed, match="does not pass filtering"):
            store("192.0.2.1").open(key(server.port))
        assert server.connections == 0
        with (
            serving(redirects(f"http://localhost:{server.port}/")) as first,
            pytest.raises(StoreFailed, match="does not pass filtering"),
        ):
            store(f"127.0.0.1:{first.port}").open(key(first.port))
    assert server.connections == 0


def test_a_cut_read_goes_on_with_the_next() -> None:
    half = len(DATA) // 2
    cut = sends(head("200 OK", f"Content-Length: {len(DATA)}", "Accept-Ranges: bytes") + DATA[:half])
    answers = [cut, files(DATA)]

    def answer(request: str, connection: socket.socket) -> None:
        answers.pop(0)(request, connection)

    with serving(answer) as server:
        source = store().open(key(server.port))
        assert source.read(0, half) == DATA[:half]
        with pytest.raises(StoreFailed):
            source.read(half, half)
        assert source.read(half, half) == DATA[half:]
        source.close()


def test_nothing_is_ever_written() -> None:
    web = store()
    named = key(1)
    assert web.read_only
    with pytest.raises(StoreFailed):
        web.create(named)
    web.delete(named)
    assert list(web.keys()) == []
    assert web.path(named) is None
    assert web.properties() == {}
