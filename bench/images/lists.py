"""Pages of ten thousand images, as a member and as an administrator: CPU, queries, and how the database finds them.

Image's API runs in the benchmark's process, over rows that nobody uploaded; the client's CPU is counted. Tokens are not looked up.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import uvicorn
from tests.cloud import Tokens, cloud_of

import pileus.identity.manifest  # all of identity's tables: image asks its catalog
from bench.clouds import folder
from bench.figures import Figure
from bench.images import crowd
from bench.images.plans import Plans
from bench.machine import Cost
from pileus.image.manifest import MANIFEST, setup
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.http.app import App

assert pileus.identity.manifest
COUNT = 10_000
PAGE = 100
REQUESTS = 20  # of a run
WHO = {"member": f"{crowd.project(3)}:member,reader", "administrator": f"{crowd.project(0)}:admin"}
PAGES = {
    "first page": "",
    "page in the middle": f"marker={crowd.image_id(COUNT // 2)}",
    "by name": f"name={crowd.name(770)}",
    "by status": "status=active",
    "public": "visibility=public",
    "private": "visibility=private",
    "shared, any answer": "visibility=shared&member_status=all",
    "community": "visibility=community",
    "by owner": f"owner={crowd.project(3)}",
    "by tag": f"tag={crowd.tag(5)}",
    "by two tags": f"tag={crowd.tag(5)}&tag={crowd.ALL}",
    "by property": "os_distro=distro-7",
    "by format": "disk_format=qcow2",
    "by size": f"size_min={5000 << 20}",
    "by time": "created_at=gt:2026-01-01T00:00:00Z",
    "by hash": f"os_hash_value={crowd.digest(770)}",
    "by ids": f"id=in:{crowd.image_id(10)},{crowd.image_id(20)}",
    "hidden": "os_hidden=true",
    "sorted by name": "sort=name:asc",
    "sorted by size": "sort=size:desc",
    "sorted by status and name": "sort=status:asc,name:desc",
    "sorted by change": "sort=updated_at:desc",
}


def measure(runs: int) -> list[Figure]:
    return [figure for stores in (1, 2) for figure in _with(stores, runs)]


def _with(stores: int, runs: int) -> list[Figure]:
    with folder() as state, _api(state, stores) as (cloud, connection):
        crowd.fill(cloud.db, COUNT, stores)
        pages = PAGES if stores == 1 else dict(list(PAGES.items())[:2])
        more = "" if stores == 1 else f", {stores} stores"
        return [
            _figure(cloud, connection, f"{who}: {name}{more}", _request(query, token), state, runs)
            for who, token in WHO.items()
            for name, query in pages.items()
        ]


Request = tuple[str, str]


def _request(query: str, token: str) -> Request:
    return f"/image/v2/images?limit={PAGE}&{query}", token


def _figure(cloud: Cloud, connection: HTTPConnection, name: str, asked: Request, state: Path, runs: int) -> Figure:
    connection.close()  # idle for long: opened again by the first question
    with Plans(cloud.db) as plans:
        count = _page(connection, asked)
    cpu, others = [], []
    for _ in range(runs):
        with Cost(state) as cost:
            for _ in range(REQUESTS):
                _page(connection, asked)
        cpu.append(1000 * cost.cpu / REQUESTS)
        others.append(cost.others)
    note = f"{count} images, {len(plans.statements)} queries, {plans}"
    return Figure(name, "ms CPU", cpu, others, None, note)


def _page(connection: HTTPConnection, asked: Request) -> int:
    path, token = asked
    connection.request("GET", path, headers={"x-auth-token": token})
    reply = connection.getresponse()
    text = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"GET {path} answered {reply.status}: {text[:200]!r}")
    return len(json.loads(text)["images"])


@contextmanager
def _api(state: Path, stores: int) -> Iterator[tuple[Cloud, HTTPConnection]]:
    """Image alone, and a connection to its API."""
    file = state / "pileus.toml"
    file.write_text("\n".join(f'[image.stores.store-{n}]\ndriver = "file"' for n in range(stores)))
    service = replace(MANIFEST, setup=_setup)
    with cloud_of(state, service, file=file) as cloud, socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(App(cloud, [service]), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield cloud, HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=60)
        finally:
            server.should_exit = True
            thread.join(10)


def _setup(cloud: Cloud) -> None:
    setup(cloud)
    cloud.add(Tokens(), Authenticator)
