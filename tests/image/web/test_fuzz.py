"""Any text as a URL, any address behind it: refused or public, nothing else, and nothing else is ever connected to."""

import contextlib
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from unittest.mock import patch

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.image.web import Failed, Refused, Web, WebSettings
from pileus.image.web.url import read
from tests.image.web.names import Names

SCHEMES = st.sampled_from(["http", "https", "HTTP", "file", "ftp", "", "http:http"])
SLASHES = st.sampled_from(["://", ":///", ":/", ":", "//", ":\\\\", "://\t"])
V4 = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.sampled_from(["10.0.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "192.168.0.1"]).map(IPv4Address),
)


def _spellings(address: IPv4Address) -> st.SearchStrategy[str]:
    number, parts = int(address), address.packed
    spelled = [
        str(address),
        str(number),
        hex(number),
        oct(number).replace("o", ""),
        ".".join(map(hex, parts)),
        ".".join(f"0{part:o}" for part in parts),
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        f"{address}.",
        str(address).translate(str.maketrans("0123456789.", "０１２３４５６７８９。")),
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]",
        f"[2001:0:{number >> 16:x}:{number & 0xFFFF:x}::]",
        f"[::ffff:{address}%25lo]",
    ]
    return st.sampled_from(spelled)


HOSTS = st.one_of(
    V4.flatmap(_spellings),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.sampled_from(
        ["name.test", "localhost", "NAME.test.", "ñ.test", "xn--.test", "xn--a", "a_b", "…", "ß", "\u200d.test"]
    ),
    st.text(max_size=20),
)
URLS = st.one_of(
    st.builds(
        lambda scheme, slashes, user, host, port, rest: f"{scheme}{slashes}{user}{host}{port}{rest}",
        SCHEMES,
        SLASHES,
        st.sampled_from(["", "", "", "user@", "a:b@", "@"]),
        HOSTS,
        st.sampled_from(["", "", ":80", ":443", ":22", ":", ":0", ":99999", ":８０"]),
        st.one_of(st.just("/"), st.text(max_size=20).map(lambda text: "/" + text)),
    ),
    st.builds(lambda host: f"http://{host}/", HOSTS),
    st.text(),
)
ADDRESSES = st.lists(st.one_of(V4, st.ip_addresses(v=6)).map(str), max_size=3)


@settings(max_examples=600, deadline=None)
@given(URLS)
def test_check_raises_nothing_but_refused(url: str) -> None:
    with contextlib.suppress(Refused):
        Web(WebSettings()).check(url)


@settings(max_examples=600, deadline=None)
@given(URLS)
def test_what_is_read_can_be_sent_and_read_again(url: str) -> None:
    with contextlib.suppress(Refused):
        first = read(url)
        assert read(str(first)) == first
        h11.Request(method="GET", target=first.target, headers=[("host", first.authority)])


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.just("http://name.test/"), URLS), ADDRESSES)
def test_only_public_addresses_are_connected_to(url: str, addresses: list[str]) -> None:
    went: list[tuple[str, int]] = []
    names = Names(name_test=[addresses])

    def connect(connection: socket.socket, to: tuple[str, int]) -> None:
        went.append(to)
        raise ConnectionRefusedError

    with patch.object(socket.socket, "connect", connect), contextlib.suppress(Refused, Failed):
        Web(WebSettings(), resolve=lambda host, port, family, kind: names("name.test", port, family, kind)).open(url)
    for address, port in went:
        assert port in (80, 443)
        assert public_to_the_standard_library(ip_address(address))


def public_to_the_standard_library(address: IPv4Address | IPv6Address) -> bool:
    """Another opinion than that of the code."""
    if isinstance(address, IPv6Address):
        if address in IPv6Network("64:ff9b::/96"):
            return public_to_the_standard_library(IPv4Address(address.packed[12:]))
        if address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_loopback)


def test_a_public_address_is_connected_to() -> None:
    """Else the test above would say nothing."""
    with patch.object(socket.socket, "connect", side_effect=ConnectionRefusedError) as connect, pytest.raises(Failed):
        Web(WebSettings(), resolve=Names(name_test=[["8.8.8.8"]])).open("http://name.test/")
    connect.assert_called_once_with(("8.8.8.8", 80))


HEADS = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 206 Partial\r\n",
            b"HTTP/1.1 302 Found\r\n",
            b"HTTP/1.1 100 Continue\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Range: bytes 0-4/5\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Location: ",
            b"5\r\nhello\r\n",
            b"0\r\n",
            b"\r\n",
            b"hello",
        ]
    )
    | st.binary(max_size=8),
    max_size=12,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(data=HEADS)
def test_any_answer_is_data_or_failed(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, patch("pileus.image.web.wire.socket.socket", return_value=Connected(fileno=ours.detach())):
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        try:
            with Web(WebSettings(redirects=0)).open("http://8.8.8.8/") as response:
                while response.read(100):
                    pass
        except (Refused, Failed):
            pass


class Connected(socket.socket):
    """One end of a pair, which needs no connecting."""

    def connect(self, address: object) -> None:
        pass
