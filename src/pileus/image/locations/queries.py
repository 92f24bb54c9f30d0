"""Which places an image can be read from, best first."""

from collections.abc import Iterable

from pileus.image.drivers.base import DataKey, Source, StoreFailed
from pileus.image.images.models import Image
from pileus.image.locations.models import ImageLocation
from pileus.image.stores.registry import STAGING, Stores
from pileus.kernel.errors import NotFound, Unavailable


def whole(image: Image, stores: Stores) -> list[ImageLocation]:
    """The places that have all the data: the heaviest store's first, then as the configuration names the stores."""
    have = [row for row in image.locations if row.until is None and row.store != STAGING]
    return sorted(have, key=lambda row: (*stores.rank(row.store), row.position))


def key_of(row: ImageLocation) -> DataKey:
    return DataKey(row.image_id, row.key)


def open_first(stores: Stores, rows: Iterable[ImageLocation]) -> Source:
    """The data, from the first store that gives it. Raises NotFound when it is gone, Unavailable when no store answers."""
    away = False
    for row in rows:
        store = stores.get(row.store)
        if store is None:  # taken out of the configuration
            away = True
            continue
        try:
            return store.open(key_of(row))
        except FileNotFoundError:
            continue
        except StoreFailed:
            away = True
    if away:
        raise Unavailable("The stores that have the image's data do not answer now; try again later.")
    raise NotFound("The image's data is gone.")
