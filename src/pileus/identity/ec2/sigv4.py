"""Amazon's Signature Version 4: the key of a day, region and service, and what it signs."""

import hashlib
import hmac
from datetime import datetime
from functools import reduce
from typing import NamedTuple

ALGORITHM = "AWS4-HMAC-SHA256"


class Scope(NamedTuple):
    """What the key is good for: `20130524/us-east-1/s3/aws4_request`."""

    date: str
    region: str
    service: str
    end: str

    @classmethod
    def parse(cls, text: str) -> "Scope | None":
        parts = text.split("/")
        return cls(*parts) if len(parts) == 4 and parts[3] == "aws4_request" else None


def sign(secret: str, scope: Scope, moment: datetime, digest: str) -> str:
    """The signature (hex) of a canonical request whose SHA-256 (hex) is `digest`."""
    return sign_text(secret, scope, "\n".join((ALGORITHM, moment.strftime("%Y%m%dT%H%M%SZ"), "/".join(scope), digest)))


def sign_text(secret: str, scope: Scope, text: str) -> str:
    """The signature (hex) of a whole string to sign."""
    return _mac(reduce(_mac, scope, f"AWS4{secret}".encode()), text).hex()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
