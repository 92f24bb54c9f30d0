"""How a URL is read."""

from ipaddress import ip_address

import pytest

from pileus.image.web import Refused
from pileus.image.web.url import LONGEST, read


def test_parts() -> None:
    url = read("HTTPS://Mirror.Example.ORG.:8443/a%2fb/../c?x=1&y=#fragment")
    assert (url.scheme, url.host, url.port, url.address) == ("https", "mirror.example.org", 8443, None)
    assert url.target == "/a%2fb/../c?x=1&y="
    assert url.authority == "mirror.example.org:8443"
    assert str(url) == "https://mirror.example.org:8443/a%2fb/../c?x=1&y="


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("http://h", "/"),
        ("http://h?q", "/?q"),
        ("http://h#f", "/"),
        ("http://h/ü?ä", "/%C3%BC?%C3%A4"),
        ("http://h/#f?q", "/"),
    ],
)
def test_targets(text: str, target: str) -> None:
    assert read(text).target == target


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://192.0.2.1./", "192.0.2.1"),
        ("http://１９２。0。2。1/", "192.0.2.1"),
        ("http://[2001:DB8:0:0::1]/", "2001:db8::1"),
        ("http://[::ffff:192.0.2.1]/", "192.0.2.1"),
        ("http://under_score.example/", "under_score.example"),
    ],
)
def test_hosts(text: str, host: str) -> None:
    url = read(text)
    assert url.host == host
    assert url.address == (ip_address(host) if host[0].isdigit() else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/etc/passwd",
        "//host/path",
        "http:/host",
        "http:host",
        "http://",
        "http:///path",
        "http://:80/",
        "file:///etc/passwd",
        "ftp://host/",
        "gopher://host/",
        "javascript://host/",
        " http://host/",
        "http://host/ ",
        "http://host/a b",
        "http://ho\tst/",
        "http://host/\r\nX: y",
        "http://host/\x00",
        "http://host\\@other/",
        "http://host/\\..",
        "http://user@host/",
        "http://user:secret@host/",
        "http://@host/",
        "http://host:port/",
        "http://host:0/",
        "http://host:65536/",
        "http://host:１/",
        "http://host:80:80/",
        "http://ho%73t/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[v1.x]/",
        "http://[1.2.3.4]/",
        "http://host../",
        "http://.host/",
        "http://a..b/",
        "http://-a.example/",
        "http://a-.example/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}aa/",
        "http://\ud800/",
        "http://\u202e/",
        "http://\u00ad/",
        "http://host/\ud800",
        f"http://host/{'a' * LONGEST}",
        # numbers that some resolvers take for addresses
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0X7F.1/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0/",
        "http://0x/",
        "http://127.0.0.0x1/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://name.1/",
        "http://2130706433./",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(Refused, match="does not pass filtering"):
        read(text)


def test_passwords_are_refused_for_what_they_are() -> None:
    with pytest.raises(Refused, match="user name or a password"):
        read("http://user:secret@host/")
