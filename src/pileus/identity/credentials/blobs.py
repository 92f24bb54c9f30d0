"""What is in a credential's blob, by its type."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

import msgspec

from pileus.identity.tokens.payload import Delegation, DelegationKind
from pileus.kernel.errors import BadRequest

EC2, TOTP = "ec2", "totp"
STAMPS: Mapping[DelegationKind, str] = {
    "application_credential": "app_cred_id",
    "trust": "trust_id",
    "access_token": "access_token_id",
}
_RESERVED = (*STAMPS.values(), "access_id")
Fields = dict[str, object]


class KeyPair(msgspec.Struct, frozen=True):
    """An EC2 key pair: `access` names it, `secret` signs."""

    access: str
    secret: str


def key_pair(blob: str) -> KeyPair:
    """Of an EC2 blob. Raises BadRequest."""
    try:
        pair = msgspec.json.decode(blob, type=KeyPair)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pair = KeyPair("", "")
    if not pair.access or not pair.secret:
        raise BadRequest('The blob of an EC2 credential is a JSON object {"access": "…", "secret": "…"} of two texts.')
    return pair


def access_hash(access: str) -> str:
    """How a key pair is found by its public half, and the id of the credential that it was made as."""
    return hashlib.sha256(access.encode("utf-8", "surrogatepass")).hexdigest()


def stamp(delegation: Delegation | None) -> dict[str, str]:
    """What an EC2 blob says of the delegation that it was made with."""
    return {STAMPS[delegation.kind]: delegation.id} if delegation else {}


def unstamped(blob: str, delegation: Delegation | None) -> str:
    """An EC2 blob without the stamp, which is kept apart from what callers write. Raises BadRequest for another's stamp."""
    key_pair(blob)
    fields: Fields = msgspec.json.decode(blob, type=Fields)
    own = stamp(delegation)
    given = [name for name in _RESERVED if name in fields]
    if any(fields[name] is not None and fields[name] != own.get(name) for name in given):
        raise BadRequest(f"{', '.join(_RESERVED)} of a blob say which delegation made it: they can not be set.")
    return msgspec.json.encode({k: v for k, v in fields.items() if k not in given}).decode() if given else blob


def stamped(blob: str, delegation: Delegation | None) -> str:
    """The blob as its owner sees it."""
    if delegation is None:
        return blob
    fields: Fields = msgspec.json.decode(blob, type=Fields)
    return msgspec.json.encode(fields | stamp(delegation)).decode()


def totp_secret(blob: str) -> bytes:
    """The shared secret: Base32 in either case, padding and spaces do not matter. Raises BadRequest."""
    text = "".join(blob.split()).upper().rstrip("=")
    try:
        secret = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        secret = b""
    if not secret:
        raise BadRequest("The blob of a TOTP credential is its secret in Base32 (letters A to Z, digits 2 to 7).")
    return secret
