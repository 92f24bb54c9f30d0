"""TLS: the connection goes to the checked address, the certificate is the name's."""

import socket
import ssl
from pathlib import Path

import pytest

from pileus.image.web import Failed, Refused, Web, WebSettings
from tests.image.web.authority import Authority
from tests.image.web.names import Names
from tests.image.web.server import Answer, head, redirects, says, sends, serving

NAMES = {"images_test": [["127.0.0.1"]]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "believed")


def web(authority: Authority) -> Web:
    settings = WebSettings(allow=("images.test", "127.0.0.1"), ca_file=str(authority.file))
    return Web(settings, resolve=Names(**NAMES))


def test_the_name_is_verified_and_sent(authority: Authority) -> None:
    names: list[str | None] = []
    context = authority.server("images.test")
    context.sni_callback = lambda connection, name, own: names.append(name)
    with (
        serving(says("200 OK", b"secure"), tls=context) as server,
        web(authority).open(f"https://images.test.:{server.port}/") as response,
    ):
        assert response.read(10) == b"secure"
    assert names == ["images.test"]
    assert f"images.test:{server.port}" in server.heads[0]


def test_a_large_file(authority: Authority) -> None:
    data = bytes(range(256)) * 40960
    with (
        serving(says("200 OK", data), tls=authority.server("images.test")) as server,
        web(authority).open(f"https://images.test:{server.port}/") as response,
    ):
        assert b"".join(iter(lambda: response.read(1 << 20), b"")) == data


@pytest.mark.parametrize(
    ("host", "days", "reason"), [("other.test", 1, "another host"), ("images.test", -1, "expired")]
)
def test_certificates_that_are_not_good(authority: Authority, host: str, days: int, reason: str) -> None:
    with (
        serving(says("200 OK"), tls=authority.server(host, days)) as server,
        pytest.raises(Failed, match=reason),
    ):
        web(authority).open(f"https://images.test:{server.port}/")
    assert server.heads == []


def test_the_certificate_is_not_the_addresss(authority: Authority) -> None:
    with (
        serving(says("200 OK"), tls=authority.server("images.test")) as server,
        pytest.raises(Failed, match="another host"),
    ):
        web(authority).open(f"https://127.0.0.1:{server.port}/")


def test_an_authority_that_nobody_believes(authority: Authority, tmp_path: Path) -> None:
    with serving(says("200 OK"), tls=Authority(tmp_path, "unknown").server("images.test")) as server:
        with pytest.raises(Failed, match="certificate"):
            web(authority).open(f"https://images.test:{server.port}/")
        with pytest.raises(Failed, match="certificate"):
            Web(WebSettings(allow=("images.test",)), resolve=Names(**NAMES)).open(f"https://images.test:{server.port}/")
    assert server.heads == []


def test_a_server_without_tls(authority: Authority) -> None:
    with serving(sends(b"HTTP/1.1 200 OK\r\n\r\n")) as server, pytest.raises(Failed):
        web(authority).open(f"https://images.test:{server.port}/")


def test_a_handshake_that_hangs(authority: Authority) -> None:
    settings = WebSettings(allow=("images.test",), ca_file=str(authority.file), connect_timeout=0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Failed, match="in time"):
        Web(settings, resolve=Names(**NAMES)).open(f"https://images.test:{silent.getsockname()[1]}/")


def test_an_authority_file_that_is_not_there(tmp_path: Path) -> None:
    settings = WebSettings(allow=("images.test",), ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(Failed, match="authorities"):
        Web(settings, resolve=Names(**NAMES)).open("https://images.test/")


def test_no_way_back_to_plain_http(authority: Authority) -> None:
    with serving(says("200 OK")) as plain:
        target = f"http://127.0.0.1:{plain.port}/"
        with (
            serving(redirects(target), tls=authority.server("images.test")) as server,
            pytest.raises(Refused, match="from https to http"),
        ):
            web(authority).open(f"https://images.test:{server.port}/")
    assert plain.connections == 0


def test_a_way_up_to_https(authority: Authority) -> None:
    with (
        serving(says("200 OK", b"secure"), tls=authority.server("images.test")) as server,
        serving(redirects(f"https://images.test:{server.port}/")) as plain,
        web(authority).open(f"http://127.0.0.1:{plain.port}/") as response,
    ):
        assert response.read(10) == b"secure"


def test_an_end_that_anyone_on_the_way_could_have_made(authority: Authority) -> None:
    """Without a length only TLS says that the body is whole."""

    def cut(request: str, connection: socket.socket) -> None:
        connection.sendall(head("200 OK") + b"hello")
        connection.shutdown(socket.SHUT_RDWR)

    def proper(request: str, connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        connection.sendall(head("200 OK") + b"hello")
        connection.unwrap()

    def fetched(answer: Answer) -> bytes:
        with (
            serving(answer, tls=authority.server("images.test")) as server,
            web(authority).open(f"https://images.test:{server.port}/") as response,
        ):
            return b"".join(iter(lambda: response.read(100), b""))

    assert fetched(proper) == b"hello"
    with pytest.raises(Failed):
        fetched(cut)
