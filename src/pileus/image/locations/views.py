"""A location as the API shows it."""

from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import key_of
from pileus.image.stores.registry import Stores
from pileus.kernel.http.call import Json


def location_view(stores: Stores, row: ImageLocation) -> Json:
    """`metadata` is what users said of it, and the store's name."""
    store = stores.get(row.store)
    url = store.url(key_of(row)) if store is not None else ""
    return {"url": url, "metadata": {**row.details, "store": row.store}}
