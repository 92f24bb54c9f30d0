"""Images over real HTTP: one GET however many servers start, also when an agent dies in the middle of it."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pileus.compute.agent import arrival
from pileus.compute.agent.arrival import Interrupted
from pileus.compute.agent.guests import Guests
from pileus.compute.agent.images import BaseImages
from pileus.compute.agent.journal import Journal
from pileus.compute.drivers.base import GuestFailed, GuestSpec, ImageRef
from pileus.compute.drivers.fake import Driver, Settings
from pileus.compute.hosts.wire import GuestReport, GuestWanted
from pileus.kernel.bus.base import CONTROL, BusError
from pileus.kernel.bus.memory import MemoryBus
from pileus.roles.agent import download, read_url

DATA = os.urandom(4 << 20)
IMAGE = ImageRef("0f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "raw", len(DATA), hashlib.sha512(DATA).hexdigest())
TOKEN = "secret"
AGENT = """
import sys
from pathlib import Path
import msgspec
from pileus.compute.agent.images import BaseImages
from pileus.compute.drivers.base import ImageRef
from pileus.roles.agent import read_url
folder, url, ref = sys.argv[1:]
BaseImages(Path(folder), lambda image_id, start: read_url(url, "secret", start)).ensure(
    msgspec.json.decode(ref, type=ImageRef))
"""


class Api(ThreadingHTTPServer):
    """The data of one image, ranges understood. An answer ends early, after so many bytes, for each of `cuts`.

    With `stop`, an answer waits in its middle until `go`, after it has set `half`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/image/v2/images/{IMAGE.id}/file"
        self.gets: list[str] = []
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.stop = False
        self.half, self.go = threading.Event(), threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Api

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        api, asked = self.server, self.headers.get("range", "")
        api.gets.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if self.headers["x-auth-token"] != TOKEN or api.statuses:
            self.send_error(api.statuses.pop(0) if api.statuses else 401)
            return
        self.send_response(206 if asked else 200)
        self.send_header("content-length", str(len(DATA) - start))
        self.end_headers()
        end = api.cuts.pop(0) if api.cuts else len(DATA)
        middle = len(DATA) // 2
        self.wfile.write(DATA[start : min(middle, end)])
        if api.stop:
            self.wfile.flush()
            api.half.set()
            api.go.wait(30)
        self.wfile.write(DATA[max(start, middle) : end])


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(arrival, "PAUSES", (0.0, 0.01))
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.go.set()
        server.shutdown()
        thread.join()


def images(folder: Path, api: Api) -> BaseImages:
    return BaseImages(folder / "base", lambda image_id, start: read_url(api.url, TOKEN, start))


def boot(folder: Path, api: Api, numbers: range) -> list[GuestReport]:
    """An agent that starts servers, all at once, with what an agent before it left on the disk."""
    guests = Guests(Driver(Settings()), Journal(folder / "agent"), images(folder, api).ensure, "boot")

    def one(number: int) -> GuestReport:
        server_id = f"00000000-0000-4000-8000-{number:012}"
        spec = GuestSpec(server_id, f"s{number}", "p", vcpus=1, memory_mb=64, root_gb=1, image=IMAGE)
        wanted = GuestWanted(spec, 1, "active", hard_reboots=0, soft_reboots=0, stop_grace=0, reboot_grace=0)
        return guests.converge(wanted)

    with ThreadPoolExecutor(len(numbers)) as threads:
        return list(threads.map(one, numbers))


def test_twenty_servers_at_once_are_one_get(tmp_path: Path, api: Api) -> None:
    reports = boot(tmp_path, api, range(20))
    assert [(report.state, report.fault) for report in reports] == [("running", None)] * 20
    assert api.gets == [""]
    boot(tmp_path, api, range(20, 40))  # a new agent
    assert api.gets == [""]


def test_an_agent_that_dies_in_the_middle_costs_one_more(tmp_path: Path, api: Api) -> None:
    api.stop = True
    call = (sys.executable, "-c", AGENT, str(tmp_path / "base"), api.url, msgspec.json.encode(IMAGE).decode())
    source = str(Path(arrival.__file__).parents[3])
    with subprocess.Popen(call, env=os.environ | {"PYTHONPATH": source}) as agent:
        assert api.half.wait(30)
        agent.send_signal(signal.SIGKILL)
    assert [file.suffix for file in (tmp_path / "base").iterdir()] == [".part"]
    api.stop = False
    api.go.set()
    assert {report.state for report in boot(tmp_path, api, range(20))} == {"running"}
    assert api.gets == ["", ""]
    assert [file.read_bytes() for file in (tmp_path / "base").iterdir()] == [DATA]


def test_a_cut_connection_goes_on_by_range(tmp_path: Path, api: Api) -> None:
    api.cuts = [3_000_000, 3_500_000]
    assert images(tmp_path, api).ensure(IMAGE).read_bytes() == DATA
    assert api.gets == ["", "bytes=3000000-", "bytes=3500000-"]


def test_a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(tmp_path: Path, api: Api) -> None:
    api.statuses = [503, 429]
    assert images(tmp_path, api).ensure(IMAGE).read_bytes() == DATA
    assert len(api.gets) == 3
    api.statuses = [404]
    with pytest.raises(GuestFailed, match=r"could not be downloaded.*404"):
        images(tmp_path / "other", api).ensure(IMAGE)
    assert len(api.gets) == 4


def test_nobody_there(tmp_path: Path) -> None:
    with Api() as gone:
        pass
    with pytest.raises(Interrupted, match="refused"):
        next(read_url(gone.url, TOKEN, 0))


def test_a_range_that_is_not_honoured_is_not_taken_for_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Handler.send_response
    monkeypatch.setattr(Handler, "send_response", lambda self, status: answer(self, 200))
    with pytest.raises(GuestFailed, match="200"):
        next(read_url(api.url, TOKEN, 5))


class Control(MemoryBus):
    """The control plane's answer; none the first time."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self.api = api
        self.calls: list[tuple[str, str, object]] = []

    async def call(self, topic: str, method: str, args: Mapping[str, Any], timeout: float = 0) -> Any:
        self.calls.append((topic, method, dict(args)))
        if len(self.calls) == 1:
            raise BusError("nobody answers")
        return {"url": self.api.url, "token": TOKEN}


def test_the_control_plane_may_be_away_for_a_moment(tmp_path: Path, api: Api) -> None:
    async def fetched(bus: Control) -> Path:
        loop = asyncio.get_running_loop()
        cache = BaseImages(tmp_path / "base", lambda image_id, start: download(bus, loop, image_id, start))
        return await asyncio.to_thread(cache.ensure, IMAGE)

    bus = Control(api)
    assert asyncio.run(fetched(bus)).read_bytes() == DATA
    assert bus.calls == [(CONTROL, "image", {"image_id": IMAGE.id})] * 2
