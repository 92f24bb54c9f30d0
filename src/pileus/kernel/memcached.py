"""The cache that all API nodes share.

A server that does not answer in time is left alone for a while. What comes from it was sealed by this cloud under the very name it
is asked for (AES-GCM, a secret of the state folder), or it is nothing; names there are keyed hashes. So whoever reads or writes
memcached learns no token, no user and no role, and can make nobody believe anything.
"""

import hashlib
import hmac
import logging
import os
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheError

log = logging.getLogger(__name__)
PATIENCE = 0.1  # seconds for a connection and for an answer
PAUSE = 5.0  # seconds without a further try after a failure
NONCE = 12  # bytes


class Memcached:
    """`servers` as (host, port). The time of writing is inside the seal: memcached counts in whole seconds, entries here need less."""

    shared = True

    def __init__(self, servers: list[tuple[str, int]], secret: str) -> None:
        self._names = hashlib.sha256(b"names:" + secret.encode()).digest()
        self._seal = AESGCM(hashlib.sha256(b"values:" + secret.encode()).digest())
        self._client = HashClient(
            servers,
            connect_timeout=PATIENCE,
            timeout=PATIENCE,
            no_delay=True,
            use_pooling=True,
            retry_attempts=0,
            dead_timeout=PAUSE,
        )
        self._rest_until = 0.0

    def get(self, name: str) -> bytes | None:
        place = self._place(name)
        sealed = self._ask(lambda: self._client.get(place))
        if not isinstance(sealed, bytes) or len(sealed) <= NONCE:
            return None
        try:
            plain = self._seal.decrypt(sealed[:NONCE], sealed[NONCE:], place)
        except InvalidTag:
            log.warning("memcached holds an entry that this cloud did not write")
            return None
        written, lasts = int.from_bytes(plain[:8], "big"), int.from_bytes(plain[8:16], "big")
        return plain[16:] if written <= _now_ms() < written + lasts else None

    def set(self, name: str, value: bytes, seconds: float) -> None:
        place, nonce = self._place(name), os.urandom(NONCE)
        plain = _now_ms().to_bytes(8, "big") + int(seconds * 1000).to_bytes(8, "big") + value
        sealed = nonce + self._seal.encrypt(nonce, plain, place)
        self._ask(lambda: self._client.set(place, sealed, expire=max(1, int(seconds) + 1)))

    def delete(self, name: str) -> None:
        place = self._place(name)
        self._ask(lambda: self._client.delete(place))

    def close(self) -> None:
        self._client.close()

    def _place(self, name: str) -> bytes:
        return hmac.digest(self._names, name.encode(), "sha256").hex().encode()

    def _ask(self, question: Callable[[], object]) -> object:
        """None when there is no answer; the next questions are not even asked for PAUSE seconds."""
        if time.monotonic() < self._rest_until:
            return None
        try:
            return question()
        except (OSError, MemcacheError) as error:
            self._rest_until = time.monotonic() + PAUSE
            log.warning("memcached: %s; not asked for %g s", str(error) or type(error).__name__, PAUSE)
            return None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
