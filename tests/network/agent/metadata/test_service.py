"""The whole metadata path: a guest, its router's namespace (or its DHCP's), the proxy, the agent and an API."""

import contextlib
import hashlib
import hmac
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest
from tests.network.agent.l3.ground import Guest, bridge
from tests.network.agent.l3.world import Project, mac_of
from tests.network.agent.metadata.stub import StubApi

from pileus.network.agent.dhcp.service import DhcpService
from pileus.network.agent.l3.routers import Routers
from pileus.network.agent.metadata import proxy
from pileus.network.agent.metadata.process import ProxyProcess
from pileus.network.agent.metadata.service import MetadataService
from pileus.network.agent.snapshot import Network, Snapshot

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("machine")]

ADDRESS = "169.254.169.254"
PORT = 8775


class Town:
    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.project = Project(str(folder), f"http://127.0.0.1:{PORT}")
        for network in (self.project.outside, self.project.red, self.project.blue, self.project.alone):
            bridge(network)
        settings = self.project.settings
        self.dhcp, self.routers, self.service = DhcpService(settings), Routers(settings), MetadataService(settings)
        for part in (self.dhcp, self.routers, self.service):
            part.start()
        self.apply()
        self.red = self.guest(self.project.red, "10.10.0.11", "10.10.0.1")
        self.blue = self.guest(self.project.blue, "10.20.0.11", "10.20.0.1")
        self.alone = self.guest(self.project.alone, "10.30.0.11", "10.30.0.2")

    def guest(self, network: Network, address: str, gateway: str) -> Guest:
        guest = Guest(network, mac_of(address))
        guest.configure(f"{address}/24", gateway)
        return guest

    def apply(self) -> None:
        snapshot = self.project.snapshot(self.project.router)
        for part in (self.dhcp, self.routers, self.service):
            assert part.apply(snapshot) == {}

    def proxy_pid(self) -> int:
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = Path("/proc", entry, "cmdline").read_bytes()
                if (
                    b"metadata.proxy" in words
                    and os.readlink(f"/proc/{entry}/cwd") == f"{self.project.settings.state}/metadata"
                ):
                    return int(entry)
        raise LookupError("no proxy runs")


@pytest.fixture(scope="module")
def town(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("state")
    for parent in folder.parents:
        if str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    made = Town(folder)
    yield made
    for part in (made.service, made.routers, made.dhcp):
        part.stop(remove=True)
        assert part.leaks(Snapshot("one", 0)) == []
    assert not (folder / "metadata").exists()
    with pytest.raises(LookupError):
        made.proxy_pid()


@pytest.fixture
def api(machine: None) -> Iterator[StubApi]:
    with StubApi(PORT) as stub:
        yield stub


def ask(guest: Guest, request: bytes, seconds: float = 5) -> tuple[int, bytes]:
    """Status and body of what comes back for these bytes."""
    with guest.connect(ADDRESS, 80, seconds) as channel:
        channel.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := channel.recv(65536):
                answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def get(guest: Guest, path: str = "/openstack/latest/meta_data.json", headers: str = "") -> dict[str, dict[str, str]]:
    status, body = ask(guest, f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\n{headers}\r\n".encode())
    assert status == 200
    found: dict[str, dict[str, str]] = json.loads(body)
    return found


def test_server_is_named_and_signed(town: Town, api: StubApi) -> None:
    for guest, address in ((town.red, "10.10.0.11"), (town.blue, "10.20.0.11"), (town.alone, "10.30.0.11")):
        headers = get(guest)["headers"]
        server = f"server-{address}"
        assert headers["x-instance-id"] == server
        assert headers["x-tenant-id"] == f"project-{address.rpartition('.')[0]}"
        assert headers["x-forwarded-for"] == address
        assert headers["x-instance-id-signature"] == hmac.new(b"a secret", server.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Instance-ID", "X-Tenant-ID", "X-Instance-ID-Signature", "X-Router-ID", "X-Network-ID"],
)
def test_what_a_guest_says_of_itself_is_dropped(town: Town, api: StubApi, header: str) -> None:
    forged = (header, header.lower(), header.replace("-", "_"))
    honest = get(town.red)["headers"]
    assert get(town.red, headers="".join(f"{name}: 10.20.0.11\r\n" for name in forged))["headers"] == honest


def test_body_and_method_go_through(town: Town, api: StubApi) -> None:
    request = b"POST /openstack/latest/password HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsecret"
    status, body = ask(town.red, request)
    assert (status, json.loads(body)["body"], json.loads(body)["method"]) == (200, "secret", "POST")


def test_large_answer_and_old_client(town: Town, api: StubApi) -> None:
    assert len(ask(town.red, b"GET /large HTTP/1.0\r\n\r\n")[1]) == 2_000_000


def test_standard_client(town: Town, api: StubApi) -> None:
    connection = HTTPConnection(ADDRESS)
    connection.sock = town.red.connect(ADDRESS, 80)
    connection.request("GET", "/latest/meta-data/", headers={"Connection": "keep-alive"})
    assert connection.getresponse().status == 200
    connection.close()


def test_unknown_address_is_not_found(town: Town, api: StubApi) -> None:
    town.red.configure("10.10.0.99/24", "10.10.0.1")
    try:
        assert ask(town.red, b"GET / HTTP/1.0\r\n\r\n")[0] == 404
    finally:
        town.red.configure("10.10.0.11/24", "10.10.0.1")


def test_api_that_is_down_is_unavailable_quickly(town: Town) -> None:
    begun = time.monotonic()
    assert ask(town.red, b"GET / HTTP/1.0\r\n\r\n")[0] == 503
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 20000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000, 413),
        (b"DELETE / HTTP/1.1\r\n\r\n", 405),
        (b"CONNECT a:80 HTTP/1.1\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ],
)
def test_bad_requests_are_refused(town: Town, api: StubApi, request_: bytes, status: int) -> None:
    assert ask(town.red, request_)[0] == status


def test_second_request_is_not_smuggled(town: Town, api: StubApi) -> None:
    one = b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n"
    status, body = ask(town.red, one + b"GET /two HTTP/1.1\r\nX-Instance-ID: other\r\n\r\n")
    assert (status, json.loads(body)["path"]) == (200, "/one")


def test_idle_connections_shut_out_neither_neighbour_nor_other_networks(town: Town, api: StubApi) -> None:
    neighbour = town.guest(town.project.red, "10.10.0.12", "10.10.0.1")
    idle = [town.red.connect(ADDRESS, 80) for _ in range(proxy.MAX_CONNECTIONS)]
    try:
        time.sleep(0.2)
        assert ask(town.red, b"GET / HTTP/1.0\r\n\r\n")[0] == 503
        assert ask(neighbour, b"GET / HTTP/1.0\r\n\r\n")[0] == 200
        assert ask(town.alone, b"GET / HTTP/1.0\r\n\r\n")[0] == 200
    finally:
        for channel in idle:
            channel.close()
    time.sleep(0.3)
    assert ask(town.red, b"GET / HTTP/1.0\r\n\r\n")[0] == 200


def test_proxy_ends_with_its_agent(machine: None, tmp_path: Path) -> None:
    process = ProxyProcess(tmp_path)
    control = process.start()
    status = Path(f"/proc/{process.pid}/stat")
    time.sleep(0.5)
    assert status.read_text().split()[2] != "Z"
    control.close()  # as the kernel does when the agent is killed
    for _ in range(100):
        if status.read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        pytest.fail("the proxy lives on")
    process.stop()


def test_agent_hears_the_proxy_only(town: Town, api: StubApi) -> None:
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(f"{town.project.settings.state}/metadata/agent.sock")
        forged = f"GET / HTTP/1.1\r\nX-Forwarded-For: 10.10.0.11\r\nX-Router-ID: {town.project.router.id}\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            stranger.sendall(forged.encode())
            assert stranger.recv(100) == b""


def test_proxy_is_unprivileged_and_has_no_network(town: Town) -> None:
    pid = town.proxy_pid()
    assert "Uid:\t65534\t65534\t65534\t65534" in Path(f"/proc/{pid}/status").read_text()
    assert len(Path(f"/proc/{pid}/net/dev").read_text().splitlines()) == 3  # two of heading, and lo
    assert os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/thread-self/ns/net")


def test_killed_proxy_is_back_and_restarted_agent_too(town: Town, api: StubApi) -> None:
    get(town.red)
    os.kill(town.proxy_pid(), signal.SIGKILL)
    begun = time.monotonic()
    get(town.red)
    town.service.stop(remove=False)
    town.service = MetadataService(town.project.settings)
    town.service.start()
    town.apply()
    get(town.red)
    assert time.monotonic() - begun < 4


def test_namespace_made_anew_is_listened_in(town: Town, api: StubApi) -> None:
    get(town.red)
    town.routers.stop(remove=True)
    town.apply()
    get(town.red)


def test_router_that_goes_is_listened_in_no_more(town: Town, api: StubApi) -> None:
    down = msgspec.structs.replace(town.project.router, admin_state_up=False)
    town.service.apply(town.project.snapshot(down))
    with pytest.raises(OSError):
        town.red.connect(ADDRESS, 80, seconds=0.5)
    assert ask(town.alone, b"GET / HTTP/1.0\r\n\r\n")[0] == 200
    town.apply()
    get(town.red)


def test_many_requests_leave_nothing_open(town: Town, api: StubApi) -> None:
    pid, took = town.proxy_pid(), []
    get(town.red)
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for _ in range(200):
        begun = time.perf_counter()
        get(town.red)
        took.append(time.perf_counter() - begun)
    time.sleep(0.2)
    assert len(os.listdir(f"/proc/{pid}/fd")) == before
    took.sort()
    assert took[100] < 0.1
