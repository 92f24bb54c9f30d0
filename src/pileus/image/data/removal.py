"""Removing data once the rows that named it are gone. If this process dies in between, the sweep finds it."""

import asyncio
import logging
from collections.abc import Iterable

from pileus.image.data.lease import Place
from pileus.image.drivers.base import DataKey, Store, StoreFailed
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import key_of
from pileus.image.stores.registry import Stores
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Call

log = logging.getLogger(__name__)


def remove_later(call: Call, rows: Iterable[ImageLocation]) -> None:
    """After the commit, in a thread: freeing a big file takes its time."""
    doomed = _doomed(call.cloud, rows)
    if doomed:
        call.after_commit(lambda: _in_thread(doomed))


def remove(cloud: Cloud, rows: Iterable[ImageLocation]) -> None:
    """Now, in this thread."""
    _remove(_doomed(cloud, rows))


def remove_at(cloud: Cloud, places: Iterable[Place]) -> None:
    """The same by places, of a writer that gives up."""
    stores = cloud.part(Stores)
    _remove([(store, place.data) for place in places if (store := stores.get(place.store)) is not None])


def _doomed(cloud: Cloud, rows: Iterable[ImageLocation]) -> list[tuple[Store, DataKey]]:
    stores = cloud.part(Stores)
    return [
        (store, key_of(row)) for row in rows if (store := stores.get(row.store)) is not None and not store.read_only
    ]


def _in_thread(doomed: list[tuple[Store, DataKey]]) -> None:
    asyncio.get_running_loop().run_in_executor(None, _remove, doomed)


def _remove(doomed: list[tuple[Store, DataKey]]) -> None:
    for store, key in doomed:
        try:
            store.delete(key)
        except StoreFailed as error:
            log.warning("data of image %s stays in store %s for now: %s", key.image_id, store.name, error)
