"""What may be looked up again at any time, kept near: in this process, or in memcached for all API nodes.

A cache slows when it is gone and never fails.
"""

import time
from collections import OrderedDict
from typing import Protocol
from urllib.parse import urlsplit

from pileus.kernel.config import Config, ConfigError

MOST = 20_000  # entries of the cache in memory


class Cache(Protocol):
    """`shared`: other processes see the same entries, as they are at most `seconds` old."""

    shared: bool

    def get(self, name: str) -> bytes | None:
        """None when it is not there, too old, or not to be believed."""

    def set(self, name: str, value: bytes, seconds: float) -> None: ...

    def delete(self, name: str) -> None: ...

    def close(self) -> None: ...


class Memory:
    """Of this process; the entry that was not asked for longest makes room."""

    shared = False

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, name: str) -> bytes | None:
        found = self._held.get(name)
        if found is None:
            return None
        if found[0] <= time.monotonic():
            self._held.pop(name, None)
            return None
        self._held.move_to_end(name)
        return found[1]

    def set(self, name: str, value: bytes, seconds: float) -> None:
        self._held[name] = (time.monotonic() + seconds, value)
        self._held.move_to_end(name)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def delete(self, name: str) -> None:
        self._held.pop(name, None)

    def close(self) -> None:
        self._held.clear()


def of(config: Config) -> Cache:
    """By `[cloud] cache`. Raises ConfigError for what is neither memory nor memcached://HOST:PORT,…"""
    text = config.cloud.cache
    if text == "memory":
        return Memory()
    kind, _, places = text.partition("://")
    try:
        parsed = [urlsplit(f"//{place}") for place in places.split(",")]
        servers = [(place.hostname or "", place.port or 11211) for place in parsed]
    except ValueError:
        servers = []
    if kind != "memcached" or not servers or not all(host for host, _ in servers):
        raise ConfigError(f"section [cloud]: cache = {text!r}: write memory, or memcached://HOST:PORT,HOST:PORT")
    from pileus.kernel.memcached import Memcached

    return Memcached(servers, config.secret("cache_secret"))
