"""Signatures of S3 requests. The storage service sends the string that the client signed, so only its time and its MAC are looked at."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from pileus.identity.ec2 import moments
from pileus.identity.ec2.schemas import SignedString
from pileus.identity.ec2.signatures import BadSignature
from pileus.identity.ec2.sigv4 import ALGORITHM, Scope, sign_text


def check(signed: SignedString, secret: str, ttl: int) -> None:
    """Raises BadSignature. `ttl`: seconds that a request is good for, before and after its own time."""
    try:
        raw = base64.b64decode(signed.token.translate(str.maketrans("-_", "+/")), validate=True)
        text = raw.decode()
    except (binascii.Error, ValueError):
        raise BadSignature("the token is not the Base64 of a string to sign") from None
    lines = text.split("\n")
    if lines[0] == ALGORITHM:
        scope, moment = (Scope.parse(lines[2]), moments.parse(lines[1])) if len(lines) == 4 else (None, None)
        if scope is None or scope.service != "s3" or moment is None or scope.date != moment.strftime("%Y%m%d"):
            raise BadSignature("the string to sign is not one of version 4 for S3")
        wanted = sign_text(secret, scope, text)
    else:
        moment = _moment(lines)
        wanted = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha1).digest()).decode()
    if moment is None or not moments.is_now(moment, ttl):
        raise BadSignature("the time of the request is missing, not a time, or too far from now")
    if not hmac.compare_digest(wanted.encode(), signed.signature.encode()):
        raise BadSignature("the signature is of another request or secret")


def _moment(lines: list[str]) -> datetime | None:
    """Of version 1: verb, MD5, type, date or end; the date may be among the `x-amz-` headers instead."""
    named = next((line.partition(":")[2] for line in lines[4:] if line.lower().startswith("x-amz-date:")), None)
    return moments.parse(named or (lines[3] if len(lines) > 3 else ""))
