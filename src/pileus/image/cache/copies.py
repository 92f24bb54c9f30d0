"""The copies of this host: finding one, making those that are asked for, keeping them few enough."""

import logging
import socket
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from pileus.image.cache.models import CachedImage
from pileus.image.data.intake import Intake
from pileus.image.data.lease import changes
from pileus.image.drivers.base import DataKey, Source, StoreFailed, StoreFull
from pileus.image.drivers.file import FileStore
from pileus.image.formats import FormatRefused
from pileus.image.images.models import READABLE, Image
from pileus.image.imports.sources import StoredIncoming, blocks
from pileus.image.locations.queries import open_first, whole
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import ApiError

FOLDER = "image-cache"  # in the state folder
COPY, PART = "copy", "part"  # a copy's key, and how that of one that is being made begins: no two ever share it
MOST_FAILURES = 3
log = logging.getLogger(__name__)


class Copies:
    """A part of the cloud. All calls block."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.host = cloud.config.cloud.host or socket.gethostname()
        self.store = FileStore("cache", cloud.config.state / FOLDER)

    @property
    def folder(self) -> Path:
        return self.store.folder

    def open(self, db: Session, image_id: str) -> Source | None:
        """This host's copy, if it has one; that is a hit."""
        mine = (CachedImage.host == self.host, CachedImage.image_id == image_id, CachedImage.size.is_not(None))
        if db.scalar(select(CachedImage.image_id).where(*mine)) is None:
            return None
        try:
            return self.store.open(DataKey(image_id, COPY))
        except FileNotFoundError:
            return None

    def hit(self, image_id: str) -> None:
        mine = update(CachedImage).where(CachedImage.host == self.host, CachedImage.image_id == image_id)
        with self.cloud.db.writing() as db:
            db.execute(mine.values(hits=CachedImage.hits + 1, last_accessed=clock.now()))

    def ask(self, db: Session, image_id: str) -> None:
        """To be made when there is time; one that is there stays."""
        if db.get(CachedImage, (self.host, image_id)) is None:
            db.add(CachedImage(host=self.host, image_id=image_id))

    def make(self) -> None:
        """All that are asked for, the longest waiting first; then clear up."""
        waiting = select(CachedImage.image_id).where(CachedImage.host == self.host, CachedImage.size.is_(None))
        with self.cloud.db.reading() as db:
            ids = list(db.scalars(waiting.order_by(CachedImage.created_at)))
        for image_id in ids:
            self._make(image_id)
        if ids:
            with self.cloud.db.writing() as db:
                self.forget_oldest(db)
            self.clean()

    def _make(self, image_id: str) -> None:
        part = DataKey(image_id, f"{PART}-{new_hex_id()}")
        try:
            size, created = self._copy(part)
            (self.folder / f"{image_id}.{part.key}").rename(self.folder / f"{image_id}.{COPY}")
        except (ApiError, StoreFailed, StoreFull, FormatRefused, OSError) as error:
            log.warning("image %s was not copied to this host: %s", image_id, error)
            self._failed(image_id)
            return
        asked = update(CachedImage).where(
            CachedImage.host == self.host, CachedImage.image_id == image_id, CachedImage.size.is_(None)
        )
        mine = (CachedImage.host == self.host, CachedImage.image_id == image_id)
        with self.cloud.db.writing() as db:
            if db.scalar(select(Image.created_at).where(Image.id == image_id)) == created:
                changes(db, asked.values(size=size, last_modified=clock.now(), last_accessed=clock.now()))
            else:  # another image has the id now
                db.execute(delete(CachedImage).where(*mine))
            wanted = db.scalar(select(CachedImage.image_id).where(*mine)) is not None
        if not wanted:
            self.store.delete(DataKey(image_id, COPY))

    def _copy(self, part: DataKey) -> tuple[int, datetime]:
        """Its size in bytes, and when the image was created."""
        image_id = part.image_id
        stores = self.cloud.part(Stores)
        with self.cloud.db.reading() as db:
            image = db.get(Image, image_id)
            rows = whole(image, stores) if image is not None and image.status in READABLE else []
        if image is None or not rows:
            raise StoreFailed("it has no data")
        sink = self.store.create(part)
        try:
            with closing(StoredIncoming(open_first(stores, rows))) as incoming:
                settings = self.cloud.settings(ImageSettings)
                intake = Intake(
                    sink,
                    settings.max_size or None,
                    image.disk_format or "raw",
                    container_format=image.container_format or "bare",
                    algorithm=image.os_hash_algo or "sha512",
                    inside=settings.max_converted,
                )
                for block in blocks(incoming, settings.block_size):
                    intake.take(block)
            received = intake.finish()
            if image.os_hash_value is not None and image.os_hash_value.lower() != received.digest:
                raise StoreFailed(f"its data have another {received.algorithm} than the image")
        except BaseException:
            sink.abort()
            raise
        return received.size, image.created_at

    def _failed(self, image_id: str) -> None:
        mine = (CachedImage.host == self.host, CachedImage.image_id == image_id, CachedImage.size.is_(None))
        with self.cloud.db.writing() as db:
            db.execute(update(CachedImage).where(*mine).values(failures=CachedImage.failures + 1))
            db.execute(delete(CachedImage).where(*mine, CachedImage.failures >= MOST_FAILURES))

    def forget_oldest(self, db: Session) -> None:
        """Until the copies fit, those longest unused: their rows. The files go with `clean`."""
        mine = (CachedImage.host == self.host, CachedImage.size.is_not(None))
        total = int(db.scalar(select(func.coalesce(func.sum(CachedImage.size), 0)).where(*mine)) or 0)
        for row in db.scalars(select(CachedImage).where(*mine).order_by(CachedImage.last_accessed)):
            if total <= self.cloud.settings(ImageSettings).cache_max_size:
                break
            total -= row.size or 0
            db.delete(row)

    def clean(self) -> None:
        """Files that no row names go, and rows whose file is gone. A row is there before its file: so files are listed first."""
        stored = list(self.store.keys())
        with self.cloud.db.writing() as db:
            rows = {row.image_id: row for row in db.scalars(select(CachedImage).where(CachedImage.host == self.host))}
            for image_id, row in rows.items():
                if row.size is not None and self.store.path(DataKey(image_id, COPY)) is None:
                    db.delete(row)
        for key in stored:
            row_there = rows.get(key.image_id)
            if row_there is None or (row_there.size is not None and key.key != COPY):
                self.store.delete(key)


def make(cloud: Cloud) -> None:
    cloud.part(Copies).make()


def clean(cloud: Cloud) -> None:
    cloud.part(Copies).clean()
