"""The processes of these tests: the image API on a socket, and a worker that does what the reconcile role does for images."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from pileus.image.imports import run
from pileus.image.settings import ImageSettings
from pileus.kernel.bus.base import CONTROL
from pileus.kernel.bus.local import LocalBus
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from pileus.kernel.manifest import Chore
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE
from tests.image.kills import points

TICK = 0.2  # seconds between two chores


def api(state: Path, file: Path, listener: socket.socket) -> None:
    _begin(state, "api")
    with cloud_of(state, IMAGE, file=file) as cloud:
        cloud.bus = LocalBus(state / "bus")
        config = uvicorn.Config(App(cloud, [IMAGE]), log_config=None, timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[listener])


def worker(state: Path, file: Path, interval: float) -> None:
    """`interval`: seconds after which due tasks are found that nobody told of."""
    _begin(state, "worker")
    with cloud_of(state, IMAGE, file=file) as cloud:
        cloud.bus = LocalBus(state / "bus")
        asyncio.run(_work(cloud, interval))


def _begin(state: Path, name: str) -> None:
    logging.basicConfig(
        filename=state / f"{name}.log", level=logging.INFO, force=True, format="%(process)d %(message)s"
    )
    points.install(state)


async def _work(cloud: Cloud, interval: float) -> None:
    tasks = run.reconciler(cloud, cloud.settings(ImageSettings).import_parallel)
    tasks.interval = interval

    async def handle(method: str, args: Mapping[str, Any]) -> None:
        tasks.poke(str(args["id"]))

    await cloud.bus.serve(CONTROL, handle)
    logging.info("listens")
    await asyncio.gather(tasks.run(), *(_repeat(cloud, chore) for chore in IMAGE.chores))


async def _repeat(cloud: Cloud, chore: Chore) -> None:
    while True:
        try:
            await asyncio.to_thread(chore.work, cloud)
        except Exception:
            logging.exception("chore %s", chore.name)
        await asyncio.sleep(TICK)
