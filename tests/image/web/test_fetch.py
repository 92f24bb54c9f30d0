"""Fetching: what is connected to, what is sent, where redirects lead."""

import re
import socket

import pytest

from pileus.image.web import Failed, Refused, TooLarge, Web, WebSettings
from tests.image.web.names import Names
from tests.image.web.server import files, redirects, says, sends, serving

DATA = bytes(range(256)) * 4096  # 1 MiB


def whole(web: Web, url: str, limit: int | None = None) -> bytes:
    with web.open(url, limit=limit) as response:
        return b"".join(iter(lambda: response.read(65536), b""))


def test_a_file() -> None:
    with serving(files(DATA)) as server:
        web = Web(WebSettings(allow=(f"127.0.0.1:{server.port}",)))
        with web.open(f"http://127.0.0.1:{server.port}/a?b=c#new") as response:
            assert (response.size, response.ranges, response.position) == (len(DATA), True, 0)
            assert response.read(10) == DATA[:10]
            assert response.position == 10
            assert response.read(1 << 30) == DATA[10:]
            assert response.read(10) == b""
            assert response.read(10) == b""
    request, *fields = server.heads[0].rstrip().split("\r\n")
    assert request == "GET /a?b=c HTTP/1.1"
    sent = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    assert sent == {
        "host": f"127.0.0.1:{server.port}",
        "connection": "close",
        "accept-encoding": "identity",
        "user-agent": "pileus",
        "accept": "*/*",
    }


@pytest.mark.parametrize("ranges", [True, False])
def test_from_an_offset(ranges: bool) -> None:
    with serving(files(DATA, ranges=ranges)) as server:
        web = Web(WebSettings(allow=("127.0.0.1",)))
        with web.open(f"http://127.0.0.1:{server.port}/", offset=1000) as response:
            assert (response.size, response.ranges, response.position) == (len(DATA), ranges, 1000)
            assert response.read(1 << 30) == DATA[1000:]
    assert "range: bytes=1000-" in server.heads[0].lower()


def test_without_a_length() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    for data in (chunked, b"HTTP/1.0 200 OK\r\n\r\nhello world"):
        with serving(sends(data)) as server:
            web = Web(WebSettings(allow=("127.0.0.1",)))
            with web.open(f"http://127.0.0.1:{server.port}/") as response:
                assert response.size is None
                assert response.read(1000) == b"hello world"
                assert response.read(1000) == b""


def test_interim_answers_are_passed_over() -> None:
    with serving(
        sends(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    ) as server:
        assert whole(Web(WebSettings(allow=("127.0.0.1",))), f"http://127.0.0.1:{server.port}/") == b"ok"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "403 Forbidden", "404 Not Found", "500 Oops"])
def test_other_answers(status: str) -> None:
    with serving(says(status)) as server, pytest.raises(Failed, match=status[:3]) as caught:
        Web(WebSettings(allow=("127.0.0.1",))).open(f"http://127.0.0.1:{server.port}/")
    assert caught.value.status == int(status[:3])


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Failed, match="connection") as caught:
        Web(WebSettings(allow=("inside.test",)), resolve=Names(inside_test=[["127.0.0.1"]])).open(
            f"http://inside.test:{port}/"
        )
    assert "127.0.0.1" not in str(caught.value)


def test_a_limit() -> None:
    with serving(files(DATA)) as server:
        web, url = Web(WebSettings(allow=("127.0.0.1",))), f"http://127.0.0.1:{server.port}/"
        assert whole(web, url, limit=len(DATA)) == DATA
        with pytest.raises(TooLarge):
            web.open(url, limit=len(DATA) - 1)
    with serving(sends(b"HTTP/1.0 200 OK\r\n\r\n" + DATA)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert whole(web, url, limit=len(DATA)) == DATA
        with pytest.raises(TooLarge):
            whole(web, url, limit=len(DATA) - 1)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(says("200 OK", b"proxy")) as proxy, serving(says("200 OK", b"server")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert whole(Web(WebSettings(allow=("127.0.0.1",))), f"http://127.0.0.1:{server.port}/") == b"server"
    assert proxy.connections == 0


def test_ipv6() -> None:
    with serving(says("200 OK", b"six"), address="::1") as server:
        assert whole(Web(WebSettings(allow=("::1",))), f"http://[::1]:{server.port}/") == b"six"
    assert f"[::1]:{server.port}" in server.heads[0]


# names


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A resolver that says something else the second time is not asked a second time."""
    with (
        serving(says("200 OK", b"checked"), address="127.0.0.2") as checked,
        serving(says("200 OK"), port=checked.port) as inside,
    ):
        names = Names(rebinding_test=[["127.0.0.2"], ["127.0.0.1"]])
        web = Web(WebSettings(allow=("127.0.0.2",)), resolve=names)
        assert whole(web, f"http://rebinding.test:{checked.port}/") == b"checked"
        assert names.asked == ["rebinding.test"]
        with pytest.raises(Refused):
            web.open(f"http://rebinding.test:{checked.port}/")
    assert (checked.connections, inside.connections) == (1, 0)
    assert f"rebinding.test:{checked.port}" in checked.heads[0]


def test_one_forbidden_address_among_others_is_enough() -> None:
    with serving(says("200 OK"), address="127.0.0.2") as allowed, serving(says("200 OK"), port=allowed.port) as inside:
        names = Names(both_test=[["127.0.0.2", "127.0.0.1"]])
        with pytest.raises(Refused, match="does not pass filtering"):
            Web(WebSettings(allow=("127.0.0.2",)), resolve=names).open(f"http://both.test:{allowed.port}/")
    assert (allowed.connections, inside.connections) == (0, 0)


def test_the_next_address_is_tried() -> None:
    with serving(says("200 OK", b"second"), address="127.0.0.2") as server:
        names = Names(two_test=[["127.0.0.1", "127.0.0.2"]])
        web = Web(WebSettings(allow=("two.test",)), resolve=names)
        assert whole(web, f"http://two.test:{server.port}/") == b"second"


def test_localhost_by_the_real_resolver() -> None:
    with serving(says("200 OK")) as server, pytest.raises(Refused):
        Web(WebSettings(ports=(server.port,))).open(f"http://localhost:{server.port}/")
    assert server.connections == 0


def test_names_that_do_not_resolve() -> None:
    for names in (Names(), Names(odd_test=[["not an address"]]), Names(odd_test=[[]])):
        with pytest.raises(Failed):
            Web(WebSettings(), resolve=names).open("http://odd.test/")


# redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed(status: str) -> None:
    with (
        serving(files(DATA)) as server,
        serving(redirects(f"http://127.0.0.1:{server.port}/real?x#part", status)) as first,
    ):
        web = Web(WebSettings(allow=("127.0.0.1",)))
        with web.open(f"http://127.0.0.1:{first.port}/", offset=5, headers={"X-Auth-Token": "secret"}) as response:
            assert response.read(5) == DATA[5:10]
    assert "secret" in first.heads[0]
    assert server.heads[0].startswith("GET /real?x HTTP/1.1")
    assert "range: bytes=5-" in server.heads[0].lower()
    assert "secret" not in server.heads[0]


def test_a_relative_redirect_keeps_the_headers() -> None:
    def answer(request: str, connection: socket.socket) -> None:
        step = redirects("../there?q") if request.startswith("GET /a/b") else says("200 OK", b"there")
        step(request, connection)

    with serving(answer) as server:
        web = Web(WebSettings(allow=("127.0.0.1",)))
        with web.open(f"http://127.0.0.1:{server.port}/a/b", headers={"X-Auth-Token": "secret"}) as response:
            assert response.read(100) == b"there"
    assert server.heads[1].startswith("GET /there?q ")
    assert "secret" in server.heads[1]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://localhost:{port}/",
        "http://rebinding.test:{port}/",
        "http://first.test@127.0.0.1:{port}/",
        "http://first.test\\@127.0.0.1:{port}/",
        "HTTP://127.0.0.1.:{port}/",
        "http://１２７.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "\\\\127.0.0.1:{port}\\",
    ],
)
def test_a_redirect_to_a_forbidden_place(location: str) -> None:
    with (
        serving(says("200 OK", b"secret")) as inside,
        serving(redirects(location.format(port=inside.port)), address="127.0.0.2") as first,
    ):
        names = Names(first_test=[["127.0.0.2"]], localhost=[["127.0.0.1"]], rebinding_test=[["127.0.0.1"]])
        settings = WebSettings(ports=(80, inside.port), allow=(f"first.test:{first.port}",))
        with pytest.raises(Refused, match=r"Redirected.*does not pass filtering") as caught:
            Web(settings, resolve=names).open(f"http://first.test:{first.port}/")
    assert (first.connections, inside.connections) == (1, 0)
    assert "127" not in str(caught.value)


def test_the_same_name_is_checked_again_after_a_redirect() -> None:
    with serving(redirects("/again"), address="127.0.0.2") as first, serving(says("200 OK"), port=first.port) as inside:
        names = Names(rebinding_test=[["127.0.0.2"], ["127.0.0.1"]])
        with pytest.raises(Refused):
            Web(WebSettings(allow=("127.0.0.2",)), resolve=names).open(f"http://rebinding.test:{first.port}/")
    assert (first.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize("location", ["", "http://[", "http://[x]/", "http://a:b/", "\t", "http://\xff/"])
def test_a_redirect_to_nothing_sensible(location: str) -> None:
    answer = sends(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
    with serving(answer) as server, pytest.raises((Refused, Failed)):
        Web(WebSettings(allow=("127.0.0.1",))).open(f"http://127.0.0.1:{server.port}/")


def test_redirects_end() -> None:
    def answer(request: str, connection: socket.socket) -> None:
        found = re.match(r"GET /(\d+)", request)
        assert found
        left = int(found[1])
        step = redirects(f"/{left - 1}") if left else says("200 OK", b"here")
        step(request, connection)

    with serving(answer) as server:
        web = Web(WebSettings(allow=("127.0.0.1",)))
        assert whole(web, f"http://127.0.0.1:{server.port}/5") == b"here"
        with pytest.raises(Failed, match="too many redirects"):
            web.open(f"http://127.0.0.1:{server.port}/6")
        assert len(server.heads) == 6 + 6
        with pytest.raises(Failed, match="too many redirects"):
            Web(WebSettings(allow=("127.0.0.1",), redirects=0)).open(f"http://127.0.0.1:{server.port}/1")


# the operator's own URLs


def test_trusted_urls_lead_anywhere() -> None:
    with serving(says("200 OK", b"own")) as server:
        web = Web(WebSettings(), resolve=Names(own_test=[["127.0.0.1"]]))
        with web.open(f"http://own.test:{server.port}/", trusted=True, headers={"X-Auth-Token": "secret"}) as response:
            assert response.read(10) == b"own"
    assert "secret" in server.heads[0]
    with pytest.raises(Refused):
        web.open("file:///etc/passwd", trusted=True)


def test_trusted_urls_are_not_redirected_elsewhere() -> None:
    with (
        serving(says("200 OK")) as other,
        serving(redirects(f"http://127.0.0.1:{other.port}/")) as server,
        pytest.raises(Failed, match="another"),
    ):
        Web(WebSettings()).open(f"http://127.0.0.1:{server.port}/", trusted=True)
    assert other.connections == 0
