"""Which URLs may lead where."""

from ipaddress import ip_address

import msgspec
import pytest

from pileus.image.web import Refused, Web, WebSettings
from pileus.image.web.addresses import is_public, parse
from pileus.image.web.rules import Rule

NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2606:4700::1111",
    "2001:4860::8888",
]


def url(address: str, port: int = 80) -> str:
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(parse(address))
    with pytest.raises(Refused, match="does not pass filtering"):
        Web(WebSettings()).check(url(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are(address: str) -> None:
    assert is_public(parse(address))
    Web(WebSettings()).check(url(address))


def test_ports_and_schemes() -> None:
    web = Web(WebSettings())
    web.check("https://example.org/")
    web.check("http://example.org:443/")
    for refused in ("http://example.org:22/", "https://8.8.8.8:8443/"):
        with pytest.raises(Refused, match="port"):
            web.check(refused)
    with pytest.raises(Refused, match="http is not allowed"):
        Web(WebSettings(schemes=("https",))).check("http://example.org/")
    Web(WebSettings(ports=(8080,))).check("http://example.org:8080/")


@pytest.mark.parametrize(
    ("allow", "passes", "refused"),
    [
        ("127.0.0.1:8099", ["http://127.0.0.1:8099/", "http://[::ffff:127.0.0.1]:8099/"], ["http://127.0.0.1:80/", "http://127.0.0.2:8099/"]),
        ("127.0.0.1", ["http://127.0.0.1:1/", "http://127.0.0.1/"], ["http://10.0.0.1/"]),
        ("10.0.0.0/8", ["http://10.255.0.1:8080/"], ["http://11.0.0.1:8080/", "http://127.0.0.1/"]),
        ("10.0.0.7/8", ["http://10.255.0.1/"], ["http://127.0.0.1/"]),
        ("::1", ["http://[::1]:99/"], ["http://[fd00::1]/"]),
        ("[fd00::/8]:80", ["http://[fd12::1]/"], ["http://[fd12::1]:81/"]),
        ("Mirror.example.org:8080", ["http://mirror.EXAMPLE.org.:8080/"], ["http://mirror.example.org:81/", "http://example.org:8080/"]),
        (".example.org", ["http://a.example.org:99/", "http://a.b.example.org:99/"], ["http://example.org:99/", "http://aexample.org:99/"]),
        ("localhost", ["http://localhost:99/"], ["http://localhost.example:99/"]),
    ],
)  # fmt: skip
def test_allowed(allow: str, passes: list[str], refused: list[str]) -> None:
    web = Web(WebSettings(allow=(allow,)))
    for passing in passes:
        web.check(passing)
    for other in refused:
        with pytest.raises(Refused):
            web.check(other)


def test_names_are_not_parts_of_addresses() -> None:
    with pytest.raises(Refused):
        Web(WebSettings(allow=(".1", ".0.1"))).check("http://127.0.0.1/")


def test_a_name_at_an_odd_port_may_resolve_to_an_allowed_network() -> None:
    web = Web(WebSettings(allow=("10.0.0.0/8:8080",)))
    web.check("http://anything.example:8080/")
    with pytest.raises(Refused):
        web.check("http://anything.example:8081/")


@pytest.mark.parametrize(
    ("deny", "refused"),
    [
        ("evil.example", "http://evil.example/"),
        (".evil.example", "https://www.evil.example/"),
        ("8.8.8.0/24", "http://8.8.8.8/"),
        ("8.8.8.0/24", "http://[64:ff9b::8.8.8.8]/"),
        ("10.0.0.1", "http://10.0.0.1/"),
    ],
)
def test_denied_wins(deny: str, refused: str) -> None:
    web = Web(WebSettings(deny=(deny,), allow=("10.0.0.0/8", "evil.example", "8.8.8.8", "[64:ff9b::/96]:80")))
    with pytest.raises(Refused):
        web.check(refused)
    web.check("http://10.0.0.2/")


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "a b",
        "10.0.0.0/33",
        "[::1",
        "host:port",
        "host:99999999",
        "host:65536",
        "host:0",
        "http://host/",
        "*",
        "[host]:80",
        "10.0.0.1/8/8",
        "user@host",
    ],
)
def test_entries_that_mean_nothing_are_refused_by_name(entry: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="neither a host nor a network"):
        msgspec.convert({"allow": [entry]}, WebSettings)


def test_rules() -> None:
    assert Rule.parse("[::1]:80") == Rule.parse("[0:0:0:0:0:0:0:1]:80")
    assert Rule.parse("10.0.0.0/8:80").covers(ip_address("10.9.9.9"), 80)
    assert not Rule.parse("10.0.0.0/8:80").covers(ip_address("10.9.9.9"), 81)
