"""ES256 keys in two folders, numbered as in `tokens.keys`: `private` has the staged and the primary, `public` those and older ones.

A node that only verifies needs `public` alone.
"""

import base64
import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import STAGED, Key, Watched, drop, locked, may_rotate, numbers, promote, write

Private = ec.EllipticCurvePrivateKey
Public = ec.EllipticCurvePublicKey


class Keys(NamedTuple):
    """`private` signs under the name `kid`; `public` are all keys that verify, by their names."""

    private: Private | None
    kid: str
    public: dict[str, Public]


class SigningKeys:
    """The keys of the folder as this process knows them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._watched = Watched(self._load, folder / "public", folder / "private")

    def now(self) -> Keys:
        """Raises FileNotFoundError when there are none."""
        return self._watched.now()

    def _load(self) -> Keys:
        private, public = self.folder / "private", self.folder / "public"
        mine = numbers(private)
        primary = read_private(private / str(mine[-1])) if mine and mine[-1] != STAGED else None
        known = [_read_public(public / str(number)) for number in numbers(public)]
        known += [primary.public_key()] if primary else []
        return Keys(
            primary, thumbprint(primary.public_key()) if primary else "", {thumbprint(key): key for key in known}
        )


def create(folder: Path) -> None:
    """Make the folders with a staged and a primary key, unless there are keys already."""
    with locked(folder), locked(folder / "private"), locked(folder / "public"):
        if not numbers(folder / "private"):
            _make(folder, 1)
            _make(folder, STAGED)
            _publish(folder)


def rotate(folder: Path, keep: int = 4, *, settled: float = 0, due: float = 0) -> bool:
    """As `tokens.keys.rotate`. The old primary's private half goes at once; `keep` public halves stay."""
    private, public = folder / "private", folder / "public"
    with locked(folder), locked(private), locked(public):
        if not may_rotate(private, settled, due):
            return False
        if STAGED in numbers(private):
            promote(private, max(*numbers(private), *numbers(public)) + 1)
        _make(folder, STAGED)
        _publish(folder)
        drop(private, 2)
        drop(public, keep)
        return True


def listing(folder: Path) -> list[Key]:
    """The public halves: they are those that verify."""
    return keys.listing(folder / "public")


def thumbprint(key: Public) -> str:
    """RFC 7638: SHA-256 over the required members in order, base64url."""
    point = key.public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _coordinate(point.x), "y": _coordinate(point.y)}
    return _text(hashlib.sha256(msgspec.json.encode(members)).digest())


def read_private(path: Path) -> Private:
    """Raises ValueError for anything but a P-256 key."""
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Private) or key.curve.name != "secp256r1":
        raise ValueError(f"{path} is not a P-256 private key")
    return key


def _read_public(path: Path) -> Public:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Public) or key.curve.name != "secp256r1":
        raise ValueError(f"{path} is not a P-256 public key")
    return key


def _make(folder: Path, number: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write(folder / "private" / str(number), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _publish(folder: Path) -> None:
    """The public half of each private key, the highest first: others must know the primary at any moment."""
    for number in reversed(numbers(folder / "private")):
        key = read_private(folder / "private" / str(number)).public_key()
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path = folder / "public" / str(number)
        if not path.exists() or path.read_bytes() != pem:
            write(path, pem)


def _coordinate(value: int) -> str:
    return _text(value.to_bytes(32, "big"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
