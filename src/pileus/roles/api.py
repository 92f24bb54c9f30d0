"""The API role: every service behind one port, the metadata API on its own. Unprivileged, stateless, any number of processes."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from pileus.composition import OWN_PORT, SERVICES
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App


class Server(uvicorn.Server):
    """Two of them share one loop, so signals are the role's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(cloud: Cloud, main: socket.socket, metadata: socket.socket) -> None:
    apps = (App(cloud, SERVICES), main), (App(cloud, OWN_PORT, prefixed=False), metadata)
    servers = []
    for app, listener in apps:
        settings = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # who the peer is must not be the peer's own word
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=65536,
        )
        servers.append((Server(settings), listener))

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))
    await cloud.bus.close()
    cloud.db.close()
