"""What uploads that never ended leave behind, cleared away: by the reconcile role at its start and then regularly."""

import logging

from pileus.image.data import lease
from pileus.image.drivers.base import Stores
from pileus.kernel.cloud import Cloud

log = logging.getLogger(__name__)


def sweep(cloud: Cloud) -> None:
    """Queue images whose writer died, and remove data that no row names (of dead uploads, and of deleted images).

    Safe beside running uploads: a row names its data before the data is made, so what is listed first and not named
    afterwards never will be.
    """
    store = cloud.part(Stores).default
    with cloud.db.writing() as db:
        for key in lease.abandoned(db):
            if lease.release(db, key):
                log.warning("image %s is queued again: its upload ended without a word", key.image_id)
    stored = list(store.keys())
    for start in range(0, len(stored), 500):
        some = stored[start : start + 500]
        with cloud.db.reading() as db:
            named = lease.named(db, {key.image_id for key in some})
        for key in some:
            if key not in named:
                store.delete(key)
