"""Four clients do anything to the same images at once, while processes are killed and leases end at random; then all is in order.

What happens when depends on the machine: the seed fixes what each client wants, not how it meets the others.
"""

import gzip
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tests.image.api.people import ADMIN, MEMBER
from tests.image.kills.audit import converges
from tests.image.kills.site import Role, Site

SECONDS = 12.0
CLIENTS = 4
SEED = 4
EXPECTED = {0, 403, 404, 409, 410, 416}  # and all that went well; 0: the process died
BYTES = [os.urandom(n * 65536 + 7) for n in (1, 4, 9, 16)]


class Wanted(NamedTuple):
    """An image that somebody made: what it is to hold, and how that is sent."""

    id: str
    data: bytes
    sent: bytes
    uri: str


class Client:
    def __init__(self, site: Site, images: list[Wanted], seed: int) -> None:
        self.site = site
        self.images = images
        self.random = random.Random(seed)
        self.seen: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []

    def walk(self, over: threading.Event) -> None:
        acts: list[Callable[[Wanted], int]] = [self.upload, self.stage, self.bring, self.download, self.point]
        acts += [self.copy, self.drop, self.delete, self.cache, self.uncache, self.bring, self.download]
        while not over.is_set():
            if len(self.images) < CLIENTS or self.random.random() < 0.15:
                self.make()
                continue
            act = self.random.choice(acts)
            status = act(self.random.choice(self.images[-2 * CLIENTS :]))
            self.seen[act.__name__, status] += 1
            if status not in EXPECTED and not 200 <= status < 300:
                self.wrong.append(f"{act.__name__}: {status}")

    def make(self) -> None:
        data, packed = self.random.choice(BYTES), self.random.random() < 0.3
        sent = gzip.compress(data, mtime=0) if packed else data
        body = {"disk_format": "raw", "container_format": "compressed" if packed else "bare"}
        status, text = self.site.ask("POST", "/images", msgspec.json.encode(body))
        if status == 201:
            path = f"/walk-{len(data)}{'-packed' * packed}"
            image_id = str(msgspec.json.decode(text)["id"])
            self.images.append(Wanted(image_id, data, sent, self.site.web.url(path, sent)))

    def upload(self, image: Wanted) -> int:
        return self.site.send(image.id, image.sent)

    def stage(self, image: Wanted) -> int:
        return self.site.send(image.id, image.sent, "stage")

    def bring(self, image: Wanted) -> int:
        staged = self.random.random() < 0.5
        method = {"name": "glance-direct"} if staged else {"name": "web-download", "uri": image.uri}
        return self._post(image, "import", {"method": method, "all_stores": self.random.random() < 0.5}, MEMBER)

    def copy(self, image: Wanted) -> int:
        return self._post(image, "import", {"method": {"name": "copy-image"}, "all_stores": True}, ADMIN)

    def point(self, image: Wanted) -> int:
        return self._post(image, "locations", {"url": image.uri}, MEMBER)

    def drop(self, image: Wanted) -> int:
        store = self.random.choice(["file", "second"])
        return self.site.ask("DELETE", f"/stores/{store}/{image.id}", who=ADMIN)[0]

    def delete(self, image: Wanted) -> int:
        return self.site.ask("DELETE", f"/images/{image.id}")[0]

    def cache(self, image: Wanted) -> int:
        status = self.site.ask("PUT", f"/cache/{image.id}", who=ADMIN)[0]
        return 409 if status == 400 else status  # it is not active

    def uncache(self, image: Wanted) -> int:
        return self.site.ask("DELETE", f"/cache/{image.id}", who=ADMIN)[0]

    def download(self, image: Wanted) -> int:
        status, data = self.site.ask("GET", f"/images/{image.id}/file")
        if status == 200 and data not in (image.data, image.sent):
            self.wrong.append(f"image {image.id} has other bytes")
        return status

    def _post(self, image: Wanted, what: str, body: object, who: dict[str, str]) -> int:
        return self.site.ask("POST", f"/images/{image.id}/{what}", msgspec.json.encode(body), who)[0]


def test_anything_at_any_moment(site: Site) -> None:
    over, images = threading.Event(), list[Wanted]()
    clients = [Client(site, images, SEED + n) for n in range(CLIENTS)]
    threads = [threading.Thread(target=client.walk, args=(over,)) for client in clients]
    chance, kills = random.Random(SEED), 0
    roles: list[Role] = [site.api, site.worker, site.second]
    site.second.start()

    def done() -> bool:
        """Is it a walk: did each of these go well once?"""
        seen = {what for client in clients for what in list(client.seen)}
        return seen >= {("upload", 204), ("bring", 202), ("delete", 204), ("download", 200)}

    for thread in threads:
        thread.start()
    began = time.monotonic()
    while (past := time.monotonic() - began) < SECONDS or (not done() and past < 4 * SECONDS):
        time.sleep(chance.uniform(0.3, 1.2))
        role = chance.choice(roles)
        role.kill()
        site.expire()  # of those that live as well
        role.start()
        kills += 1
    over.set()
    for thread in threads:
        thread.join()
    for role in roles:
        role.kill()
    site.expire()
    site.hurry()
    converges(site)
    assert [wrong for client in clients for wrong in client.wrong] == []
    assert kills > 3 and done()
    for image in images:
        status, data = site.ask("GET", f"/images/{image.id}/file")
        assert status in (204, 404) or (status == 200 and data in (image.data, image.sent))
