"""The image service alone on a loopback port, as a process: `python -m tests.image.api.server STATE PORT_FILE LEASE`."""

import socket
import sys
from pathlib import Path

import uvicorn

from pileus.image.settings import ImageSettings
from pileus.kernel.http.app import App
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE


def main(state: Path, port_file: Path, lease: int) -> None:
    with cloud_of(state, IMAGE) as cloud:
        cloud.config._by_type[ImageSettings] = ImageSettings(upload_lease=lease)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(App(cloud, [IMAGE]), log_level="warning", timeout_graceful_shutdown=2))
        port_file.write_text(str(listener.getsockname()[1]))
        server.run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
