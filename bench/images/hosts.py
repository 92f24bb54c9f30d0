"""Servers that start at once from one image on a host that has not got it: how often the API is asked for the data."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.system.installation import Installation

from bench.figures import Figure
from bench.images.client import Client
from bench.images.plain import BLOCK
from bench.machine import Meter
from pileus.compute.agent.images import BaseImages
from pileus.compute.drivers.base import ImageRef

SERVERS = 20


class Downloads:
    """What the agent's image cache fetches with; `asked` counts."""

    def __init__(self, client: Client) -> None:
        self.asked = 0
        self._client = client
        self._lock = threading.Lock()

    def fetch(self, image_id: str, start: int) -> Iterator[bytes]:
        with self._lock:
            self.asked += 1
        with self._client.reading(image_id, start) as reply:
            while block := reply.read(BLOCK):
                yield block


def measure(cloud: Installation, source: Path, runs: int) -> list[Figure]:
    client = Client(cloud)
    image = client.create("bench")
    client.put(image, source)
    seen = client.show(image)
    ref = ImageRef(image, seen["disk_format"], seen["size"], seen["os_hash_value"])
    took, asked, others = [], [], []
    for number in range(runs):
        downloads = Downloads(client)
        images = BaseImages(source.parent / f"host-{number}", downloads.fetch)
        with Meter(cloud.state) as meter, ThreadPoolExecutor(SERVERS) as servers:
            started = time.monotonic()
            files = set(servers.map(images.ensure, [ref] * SERVERS))
            took.append(time.monotonic() - started)
        asked.append(float(downloads.asked))
        others.append(meter.others)
        for file in files:
            file.unlink()
    client.delete(image)
    what = f"{SERVERS} servers at once from one image of {seen['size'] >> 30} GiB"
    return [
        Figure(f"{what}: downloads", "", asked, others, 1, "one agent's image cache, a running API"),
        Figure(f"{what}: all have it", "s", took, others, None, "checked: size, SHA-512, format"),
    ]
