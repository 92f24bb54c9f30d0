"""Holding on to what a task writes while it works, and telling how far it is."""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.data import lease
from pileus.image.data.lease import Place
from pileus.image.data.removal import remove_at
from pileus.image.images.models import Image
from pileus.image.imports.errors import Stopped
from pileus.image.settings import ImageSettings
from pileus.image.tasks.actions import tell
from pileus.kernel.cloud import Cloud

TOLD_EVERY = 1.0  # seconds
log = logging.getLogger(__name__)


class Watch:
    """A context: a thread renews the leases of the places that are held. `check` raises when the image was deleted meanwhile."""

    def __init__(self, cloud: Cloud, task_id: str, image_id: str) -> None:
        self.cloud = cloud
        self.image_id = image_id
        self._task_id = task_id
        self._seconds = cloud.settings(ImageSettings).upload_lease
        self._places: set[Place] = set()
        self._lock = threading.Lock()
        self._message = self._told = ""
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {task_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if kind is not None:  # what this process began and did not end; if it dies, the leases end
            with self.cloud.db.writing() as db:
                dropped = [place for place in self._places if lease.give_up(db, place)]
            remove_at(self.cloud, dropped)

    def reserve(self, store: str) -> Place:
        """A place that this task writes to. Raises Stopped."""
        with self.cloud.db.writing() as db:
            self._still_there(db)
            place = lease.reserve(db, self.image_id, store, self._seconds, self._task_id)
        with self._lock:
            self._places.add(place)
        return place

    def let_go(self, place: Place) -> None:
        """Its lease is not renewed any more: it is complete, or given up."""
        with self._lock:
            self._places.discard(place)

    def give_up(self, place: Place) -> None:
        self.let_go(place)
        with self.cloud.db.writing() as db:
            lease.release(db, place)

    def say(self, message: str) -> None:
        self._message = message

    @property
    def lost(self) -> bool:
        return self._lost

    def check(self) -> None:
        if self._lost:
            raise Stopped

    def _still_there(self, db: Session) -> None:
        if db.scalar(select(Image.id).where(Image.id == self.image_id)) is None:
            raise Stopped

    def _run(self) -> None:
        renewed = time.monotonic()
        while not self._ended.wait(TOLD_EVERY):
            due = time.monotonic() - renewed > self._seconds / 3
            if not due and self._message == self._told:
                continue
            try:
                self._round(due)
            except Exception:
                log.exception("task %s: its leases were not renewed", self._task_id)
            else:
                renewed = time.monotonic() if due else renewed

    def _round(self, due: bool) -> None:
        with self._lock:
            places = list(self._places)
        message = self._message
        with self.cloud.db.writing() as db:
            if message != self._told:
                tell(db, self._task_id, message)
            if due:
                # A place that was let go just now is none that was lost.
                gone = [place for place in places if not lease.renew(db, [place], self._seconds)]
                with self._lock:
                    self._lost = self._lost or any(place in self._places for place in gone)
            self._lost = self._lost or db.scalar(select(Image.id).where(Image.id == self.image_id)) is None
        self._told = message
