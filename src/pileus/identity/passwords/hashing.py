"""Argon2id. What is stored and how long a refusal takes never tells whether the user exists."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pileus.identity.settings import IdentitySettings

LONGEST = 4096  # bytes; more is refused before any hashing


class Hasher:
    def __init__(self, settings: IdentitySettings) -> None:
        self._argon = PasswordHasher(
            time_cost=settings.password_passes,
            memory_cost=settings.password_memory,
            parallelism=settings.password_lanes,
        )
        self._decoy: str | None = None

    def hash(self, password: str) -> str:
        return self._argon.hash(_bytes(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """False takes the same time whether the password is wrong or there is none (`stored` None)."""
        if self._decoy is None:
            self._decoy = self._argon.hash(secrets.token_bytes(16))
        given = _bytes(password)
        try:
            self._argon.verify(stored or self._decoy, given[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None and len(given) <= LONGEST


def _bytes(password: str) -> bytes:
    """The same password typed on two keyboards is the same bytes."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
