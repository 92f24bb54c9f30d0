"""Blobs at rest: Fernet with a key folder of their own, apart from the database. Each row names the key that sealed it.

Changing the key: `rotate` takes the staged key into use, `migrate` seals every row with it, and only then can old keys go.
"""

import base64
import hashlib
import logging
import os
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select

from pileus.identity.credentials.models import Credential
from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import KeyRing
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import ApiError

FOLDER = "credential-keys"  # in the state folder
KEEP = 3  # keys: staged, primary, and the one before it until `migrate` has run
BATCH = 200  # rows re-sealed in one transaction
log = logging.getLogger(__name__)


class KeyInUse(Exception):
    """Rotation would drop a key that still seals credentials."""


class Sealed(NamedTuple):
    """Ciphertext (ASCII), and the SHA-256 (hex) of the key."""

    text: str
    key_hash: str


class Migrated(NamedTuple):
    """How many rows were sealed anew, and the ids of those that no key opens."""

    resealed: int
    lost: tuple[str, ...]


class Sealer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ring = KeyRing(folder)
        self._decoy = ""

    def seal(self, blob: str) -> Sealed:
        """With the key that is primary now. The first keys are made when they are needed."""
        if not keys.numbers(self.folder):
            keys.create(self.folder)
        primary = _primary(self.folder)
        return Sealed(Fernet(primary).encrypt(blob.encode("utf-8", "surrogatepass")).decode(), _hash(primary))

    def open(self, row: Credential) -> str:
        """The blob. Raises ApiError (500) when its key is gone: only the operator can help."""
        try:
            return self._ring.fernet().decrypt(row.sealed.encode()).decode("utf-8", "surrogatepass")
        except (InvalidToken, FileNotFoundError):
            log.error("credential %s is sealed with key %s, which is not in %s", row.id, row.key_hash, self.folder)
            raise ApiError(f"Credential {row.id} can not be read: an operator must bring its key back.") from None

    def decoy(self) -> str:
        """A Base32 secret that nobody knows, by as much work as `open` takes: for refusals that tell nothing by their time."""
        try:
            return self._ring.fernet().decrypt(self._decoy.encode()).decode()
        except (InvalidToken, FileNotFoundError):
            secret = base64.b32encode(os.urandom(20)).decode()
            self._decoy = self.seal(secret).text
            return secret


def rotate(cloud: Cloud, keep: int = KEEP, *, settled: float = keys.SETTLED) -> bool:
    """Take the staged key into use, stage a new one, drop the oldest beyond `keep` (3 or more). `settled`: as in `keys.rotate`.

    False, and nothing done, while the staged key is younger than `settled` seconds. Raises KeyInUse, having changed nothing,
    when a key that must go still seals a credential: `migrate` first.
    """
    if keep < KEEP:
        raise ValueError(f"{KEEP} keys at least are kept: the staged, the primary and the one before it")
    folder = cloud.part(Sealer).folder
    doomed = {number: _hash(_read(folder, number)) for number in _doomed(folder, keep)}
    with cloud.db.reading() as db:
        used = set(db.scalars(select(Credential.key_hash).where(Credential.key_hash.in_(doomed.values())).distinct()))
    if used:
        numbers = ", ".join(str(number) for number, key_hash in doomed.items() if key_hash in used)
        raise KeyInUse(f"key {numbers} of {folder} still seals credentials: migrate them to the primary key first")
    return keys.rotate(folder, keep, settled=settled)


def migrate(cloud: Cloud, batch: int = BATCH) -> Migrated:
    """Seal every credential with the primary key, `batch` rows a transaction. Safe to stop and to repeat."""
    sealer = cloud.part(Sealer)
    primary = _hash(_primary(sealer.folder))
    done, after = 0, ""
    lost: list[str] = []
    while True:
        old = select(Credential).where(Credential.key_hash != primary, Credential.id > after)
        with cloud.db.writing() as db:
            rows = db.scalars(old.order_by(Credential.id).limit(batch).with_for_update()).all()
            for row in rows:
                try:
                    row.sealed, row.key_hash = sealer.seal(sealer.open(row))
                    done += 1
                except ApiError:
                    lost.append(row.id)
        if not rows:
            return Migrated(done, tuple(lost))
        after = rows[-1].id


def _doomed(folder: Path, keep: int) -> list[int]:
    """The keys that the next rotation drops."""
    found = keys.numbers(folder)
    after = [number for number in found if number != keys.STAGED] + [-1] * (keys.STAGED in found)
    return after[: max(0, len(after) - (keep - 1))]


def _primary(folder: Path) -> bytes:
    found = keys.numbers(folder)
    if not found:
        raise FileNotFoundError(f"no credential keys in {folder}")
    return _read(folder, found[-1])


def _read(folder: Path, number: int) -> bytes:
    return (folder / str(number)).read_bytes()


def _hash(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()
