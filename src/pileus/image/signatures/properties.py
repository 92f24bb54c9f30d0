"""The four custom properties that ask for a signature to be checked."""

import binascii
import uuid
from base64 import b64decode
from collections.abc import Mapping

import msgspec

from pileus.kernel.errors import BadRequest

SIGNATURE = "img_signature"
HASH_METHOD = "img_signature_hash_method"
KEY_TYPE = "img_signature_key_type"
CERTIFICATE = "img_signature_certificate_uuid"
NAMES = (SIGNATURE, HASH_METHOD, KEY_TYPE, CERTIFICATE)
LONGEST = 16384  # characters of a signature in base64


class SignatureRefused(BadRequest):
    """The data can not be believed, for the reason given: safe to show."""


class Claim(msgspec.Struct, frozen=True):
    """What the properties say, with nothing of it checked but its form."""

    signature: bytes
    hash_method: str
    key_type: str
    certificate: str


def claim(properties: Mapping[str, str | None]) -> Claim | None:
    """None without any of the properties. Raises SignatureRefused for some of them only, or in a wrong form."""
    given = {name: (properties.get(name) or "").strip() for name in NAMES if name in properties}
    if not given:
        return None
    if missing := [name for name in NAMES if not given.get(name)]:
        raise SignatureRefused(f"A signed image needs all of its signature's properties; missing: {', '.join(missing)}")
    return Claim(
        _signature(given[SIGNATURE]), given[HASH_METHOD].upper(), given[KEY_TYPE].upper(), _uuid(given[CERTIFICATE])
    )


def _signature(text: str) -> bytes:
    """Base64, in one line or in several."""
    if len(text) > LONGEST:
        raise SignatureRefused(f"{SIGNATURE} is longer than {LONGEST} characters.")
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureRefused(f"{SIGNATURE} is not in base64.") from None


def _uuid(text: str) -> str:
    """In its one usual form, which is safe in a file's name."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise SignatureRefused(f"{CERTIFICATE} is not a UUID.") from None
