"""Uploads and downloads through real sockets: memory, cut connections, killed processes, two workers."""

import contextlib
import hashlib
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pileus.image.data.sweep import sweep
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import MEMBER, OCTETS, eventually, stored

MIB = 1 << 20
BLOCK = bytes(MIB)
BODY = {"name": "big", "disk_format": "raw", "container_format": "bare"}


class Worker:
    """One API process."""

    def __init__(self, state: Path, lease: int) -> None:
        port_file = state / f"port-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "tests.image.api.server", str(state), str(port_file), str(lease)]
        self.process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
        assert eventually(lambda: port_file.exists() and port_file.read_text() != "", 20)
        self.port = int(port_file.read_text())

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, f"/image/v2/images{path}", body, MEMBER | headers)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def create(self) -> str:
        status, text = self.ask("POST", "", msgspec.json.encode(BODY), **{"content-type": "application/json"})
        assert status == 201, text
        return str(msgspec.json.decode(text)["id"])

    def show(self, image_id: str) -> Json:
        shown: Json = msgspec.json.decode(self.ask("GET", f"/{image_id}")[1])
        return shown

    def start_upload(self, image_id: str, length: int, sent: int) -> socket.socket:
        """Open an upload of `length` bytes and send the first `sent`."""
        link = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        head = f"PUT /image/v2/images/{image_id}/file HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in (MEMBER | OCTETS).items())
        link.sendall(head.encode() + b"\r\n" + bytes(sent))
        return link

    def most_memory(self) -> int:
        """Bytes, since the process started."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(10)


@pytest.fixture
def workers(cloud: Cloud) -> Iterator[list[Worker]]:
    made: list[Worker] = []
    yield made
    for worker in made:
        if worker.process.poll() is None:
            worker.stop(signal.SIGKILL)


def worker(workers: list[Worker], cloud: Cloud, lease: int = 30) -> Worker:
    workers.append(Worker(cloud.config.state, lease))
    return workers[-1]


def test_a_big_image_takes_no_memory(cloud: Cloud, workers: list[Worker], capsys: pytest.CaptureFixture[str]) -> None:
    count = 300
    api = worker(workers, cloud)
    image_id = api.create()
    before, began = api.most_memory(), time.monotonic()
    link = api.start_upload(image_id, count * MIB, 0)
    for _ in range(count):
        link.sendall(BLOCK)
    assert link.recv(1000).startswith(b"HTTP/1.1 204")
    link.close()
    up, began = time.monotonic() - began, time.monotonic()
    digest = hashlib.sha512()
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", f"/image/v2/images/{image_id}/file", headers=MEMBER)
        reply = connection.getresponse()
        while block := reply.read(MIB):
            digest.update(block)
    down = time.monotonic() - began
    grown = api.most_memory() - before
    with capsys.disabled():
        print(f"\n{count} MiB: up {up:.1f} s, down {down:.1f} s, memory {before >> 20} + {grown / MIB:.1f} MiB")
    image = api.show(image_id)
    assert (image["size"], image["os_hash_value"]) == (count * MIB, digest.hexdigest())
    assert grown < 24 * MIB


def test_the_api_answers_during_an_upload(cloud: Cloud, workers: list[Worker]) -> None:
    api = worker(workers, cloud)
    image_id = api.create()
    link = api.start_upload(image_id, 64 * MIB, 32 * MIB)
    began = time.monotonic()
    assert api.show(image_id)["status"] == "saving"
    assert time.monotonic() - began < 2
    link.sendall(bytes(32 * MIB))
    assert link.recv(1000).startswith(b"HTTP/1.1 204")
    link.close()


def test_a_cut_upload_leaves_nothing(cloud: Cloud, workers: list[Worker]) -> None:
    api = worker(workers, cloud)
    image_id = api.create()
    link = api.start_upload(image_id, 10 * MIB, 3 * MIB)
    assert eventually(lambda: bool(stored(cloud)))
    link.close()
    assert eventually(lambda: not stored(cloud) and api.show(image_id)["status"] == "queued")
    assert api.ask("PUT", f"/{image_id}/file", b"whole", **OCTETS)[0] == 204


def test_only_one_worker_takes_an_upload(cloud: Cloud, workers: list[Worker]) -> None:
    one, two = worker(workers, cloud), worker(workers, cloud)
    image_id = one.create()
    link = one.start_upload(image_id, 10, 5)
    assert eventually(lambda: two.show(image_id)["status"] == "saving")
    assert two.ask("PUT", f"/{image_id}/file", b"other", **OCTETS)[0] == 409
    link.sendall(bytes(5))
    assert link.recv(1000).startswith(b"HTTP/1.1 204")
    link.close()
    assert two.show(image_id)["size"] == 10 and two.ask("GET", f"/{image_id}/file") == (200, bytes(10))


def test_a_slow_client_keeps_its_lease(cloud: Cloud, workers: list[Worker]) -> None:
    api = worker(workers, cloud, lease=3)
    image_id = api.create()
    link = api.start_upload(image_id, 10, 5)
    for _ in range(9):
        time.sleep(0.5)
        sweep(cloud)
    assert api.show(image_id)["status"] == "saving"
    link.sendall(bytes(5))
    assert link.recv(1000).startswith(b"HTTP/1.1 204")
    link.close()


@pytest.mark.parametrize("sent", [0, 5 * MIB])
def test_a_killed_process_leaves_nothing_stuck(cloud: Cloud, workers: list[Worker], sent: int) -> None:
    api = worker(workers, cloud, lease=3)
    image_id = api.create()
    link = api.start_upload(image_id, 10 * MIB, sent)
    assert eventually(lambda: api.show(image_id)["status"] == "saving" and bool(stored(cloud)))
    api.stop(signal.SIGKILL)
    link.close()
    sweep(cloud)
    again = worker(workers, cloud)
    assert again.show(image_id)["status"] == "saving"  # nobody knows yet that the writer is dead

    def queued() -> bool:
        sweep(cloud)
        return bool(again.show(image_id)["status"] == "queued")

    assert eventually(queued, 6)
    assert stored(cloud) == []
    assert again.ask("PUT", f"/{image_id}/file", b"whole", **OCTETS)[0] == 204
