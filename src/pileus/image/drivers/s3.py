"""Images as objects `<prefix><image id>.<key>` in one bucket of a server that speaks S3.

As in the file store, the row says that an image is complete: no two writers share a name, and what no row names is removed by
the sweep, uploads that never ended included.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pileus.image.drivers.base import DataKey
from pileus.image.drivers.s3_sink import S3Sink
from pileus.image.drivers.s3_source import S3Source
from pileus.image.s3.bucket import Bucket
from pileus.image.s3.settings import S3Settings, key

_NAME = re.compile(r"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\.([A-Za-z0-9_-]+)")
_MIB = 1 << 20


class S3Store:
    """Asks the server nothing before it is used. Raises ConfigError where the settings cannot be true."""

    read_only = False

    def __init__(self, name: str, settings: S3Settings) -> None:
        self.name = name
        self._settings = settings
        self._bucket = Bucket(name, settings, key(name, settings))

    def create(self, key: DataKey) -> S3Sink:
        return S3Sink(self._bucket, self._object(key))

    def open(self, key: DataKey) -> S3Source:
        return S3Source(self._bucket, self._object(key))

    def delete(self, key: DataKey) -> None:
        self._bucket.remove(self._object(key))

    def keys(self) -> Iterator[DataKey]:
        """Objects of other people in the same bucket are not among them, unless they are called as ours are."""
        prefix = self._settings.prefix
        begun = {name for name, _ in self._bucket.uploads(prefix)}  # first: what ends meanwhile is an object by then
        for name in self._bucket.objects(prefix):
            begun.discard(name)
            yield from self._keys(name)
        for name in begun:
            yield from self._keys(name)

    def path(self, key: DataKey) -> Path | None:
        return None

    def url(self, key: DataKey) -> str:
        return f"s3://{self._settings.bucket}/{self._object(key)}"

    def properties(self) -> Mapping[str, object]:
        """Sizes in MiB, under the names that the Image API has for them."""
        size = self._settings.part_size // _MIB
        return {
            "s3_store_host": self._settings.endpoint,
            "s3_store_bucket": self._settings.bucket,
            "s3_store_large_object_size": size,
            "s3_store_large_object_chunk_size": size,
            "s3_store_thread_pools": 1,
        }

    def _object(self, key: DataKey) -> str:
        return f"{self._settings.prefix}{key.image_id}.{key.key}"

    def _keys(self, name: str) -> Iterator[DataKey]:
        found = _NAME.fullmatch(name.removeprefix(self._settings.prefix))
        if found is not None:
            yield DataKey(found[1], found[2])
