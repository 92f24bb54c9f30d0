"""The reconcile role: converges every service's rows, serves the host agents, does the chores. Unprivileged."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from typing import Any

from pileus.compute.hosts.desk import Desk
from pileus.kernel.bus.base import CONTROL
from pileus.kernel.cloud import Cloud
from pileus.kernel.manifest import Chore
from pileus.kernel.reconcile import Reconciler

log = logging.getLogger(__name__)


async def run(cloud: Cloud) -> None:
    loop = asyncio.get_running_loop()
    reconcilers: dict[str, Reconciler] = {}
    chores: list[Chore] = []
    for manifest in cloud.manifests.values():
        if manifest.reconcilers is not None:
            reconcilers |= {r.name: r for r in manifest.reconcilers(cloud)}
        chores += manifest.chores

    def touched(server_id: str) -> None:
        loop.call_soon_threadsafe(reconcilers["servers"].poke, server_id)

    desk = Desk(cloud, touched)

    async def handle(method: str, args: Mapping[str, Any]) -> Any:
        if method != "due":
            return await desk.handle(method, args)
        reconciler = reconcilers.get(str(args["reconciler"]))
        return reconciler.poke(str(args["id"])) if reconciler is not None else None

    await cloud.bus.serve(CONTROL, handle)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(r.run()) for r in reconcilers.values()]
    tasks += [asyncio.create_task(_repeat(cloud, chore)) for chore in chores]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await cloud.bus.close()
    cloud.db.close()


async def _repeat(cloud: Cloud, chore: Chore) -> None:
    while True:
        try:
            await asyncio.to_thread(chore.work, cloud)
        except Exception:
            log.exception("chore %s", chore.name)
        await asyncio.sleep(chore.seconds)
