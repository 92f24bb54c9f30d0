"""The parser that guests reach, and who is found by an address."""

import asyncio
from http import HTTPStatus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.network.agent.l3.world import Project, interface_of, network_of

from pileus.network.agent.metadata import http
from pileus.network.agent.metadata.agent import MetadataAgent, signature
from pileus.network.agent.metadata.directory import NETWORK, ROUTER, Asker, directory
from pileus.network.agent.snapshot import HostNetwork


def parse(*pieces: bytes, closed: bool = True) -> http.Request:
    async def run() -> http.Request:
        reader = asyncio.StreamReader()
        for piece in pieces:
            reader.feed_data(piece)
        if closed:
            reader.feed_eof()
        return await http.read_request(reader)

    return asyncio.run(run())


def status_of(*pieces: bytes, closed: bool = True) -> HTTPStatus:
    with pytest.raises(http.RefusedError) as refused:
        parse(*pieces, closed=closed)
    return refused.value.status


def test_request_is_written_anew_with_what_a_guest_may_say() -> None:
    request = parse(
        b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\nX-Instance-ID: z\r\nConnection: upgrade\r\n\r\n"
    )
    assert http.onward(request, {"X-Forwarded-For": "10.0.0.1"}, "/prefix") == (
        b"GET /prefix/a?b=c HTTP/1.1\r\nhost: x\r\nuser-agent: y\r\nX-Forwarded-For: 10.0.0.1\r\nconnection: close\r\n\r\n"
    )


def test_chunked_body_becomes_a_plain_one() -> None:
    request = parse(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert http.onward(request, {}).endswith(b"content-length: 5\r\nconnection: close\r\n\r\nabcde")


def test_slow_request_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RECEIVE_SECONDS", 0.05)
    assert status_of(b"GET / HTT", closed=False) == HTTPStatus.REQUEST_TIMEOUT


def test_many_small_headers_are_too_large() -> None:
    flood = b"".join(b"h%d: v\r\n" % n for n in range(3000))
    assert status_of(b"GET / HTTP/1.1\r\n" + flood + b"\r\n") == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def test_chunks_without_end_are_too_large() -> None:
    flood = b"1\r\na\r\n" * 60000
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status_of(head + flood, closed=False) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@given(
    st.lists(
        st.one_of(st.binary(max_size=80), st.sampled_from([b"GET / HTTP/1.1\r\n", b"\r\n", b"a: b\r\n"])), max_size=8
    )
)
def test_whatever_comes_is_a_request_or_refused(pieces: list[bytes]) -> None:
    try:
        request = parse(*pieces)
    except (http.RefusedError, ConnectionError):
        return
    written = http.onward(request, {"X-Forwarded-For": "10.0.0.1"})
    head, _, body = written.partition(b"\r\n\r\n")
    assert body == request.body
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    assert names.count(b"x-forwarded-for") == 1
    assert b"\n" not in head.replace(b"\r\n", b"")


@given(st.binary(max_size=60))
def test_header_value_never_becomes_two(value: bytes) -> None:
    try:
        request = parse(b"GET / HTTP/1.1\r\nUser-Agent: " + value + b"\r\n\r\n")
    except (http.RefusedError, ConnectionError):
        return
    head = http.onward(request, {"X-Forwarded-For": "10.0.0.1"}).partition(b"\r\n\r\n")[0]
    assert sum(line.lower().startswith(b"x-instance-id") for line in head.splitlines()) == 0


def test_directory_knows_the_way_and_the_subnet() -> None:
    project = Project("/state")
    found = directory(project.snapshot(project.router))
    assert found[ROUTER, project.router.id, "10.10.0.11"] == Asker("server-10.10.0.11", "project-10.10.0")
    assert found[NETWORK, project.alone.id, "10.30.0.11"].server_id == "server-10.30.0.11"
    assert (NETWORK, project.red.id, "10.10.0.11") not in found
    assert (ROUTER, project.router.id, "10.30.0.11") not in found
    assert len(found) == 4


def test_same_address_behind_two_routers_is_two_servers() -> None:
    project = Project("/state")
    twin = network_of("10.10.0", (11,))
    assert twin.dhcp is not None
    host = msgspec.structs.replace(twin.dhcp.hosts[0], device_id="twin")
    twin = msgspec.structs.replace(twin, dhcp=msgspec.structs.replace(twin.dhcp, hosts=(host,)))
    other = msgspec.structs.replace(project.router, id="f" * 36, interfaces=(interface_of(twin, "10.10.0.1"),))
    snapshot = project.snapshot(project.router, other)
    found = directory(msgspec.structs.replace(snapshot, networks=(*snapshot.networks, twin)))
    assert found[ROUTER, other.id, "10.10.0.11"].server_id == "twin"
    assert found[ROUTER, project.router.id, "10.10.0.11"].server_id == "server-10.10.0.11"


def test_signature_is_hmac_sha256() -> None:
    # Value from RFC 4231, test case 2.
    assert signature(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "http://"])
def test_bad_metadata_url_is_said_so(url: str) -> None:
    settings = HostNetwork(host="one", state="/state", tunnel_ip="127.0.0.1", metadata_url=url)
    with pytest.raises(ValueError, match="metadata_url"):
        MetadataAgent(settings, lambda: 0)
