"""What a client sends: a form, and perhaps HTTP Basic."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from pileus.identity.oauth2.errors import Refusal, unknown_client

KIND = "application/x-www-form-urlencoded"
LONGEST = 16384  # bytes of a form


async def read(request: Request) -> dict[str, str]:
    """Raises Refusal for what is no form, too long, or names something twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise Refusal("invalid_request", f"Send a form: Content-Type {KIND}.")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > LONGEST:
            raise Refusal("invalid_request", f"A form may have {LONGEST} bytes.")
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=32)
    except ValueError:
        raise Refusal("invalid_request", "The form can not be read: it must be UTF-8, with few fields.") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refusal("invalid_request", "A parameter is there more than once.")
    return dict(pairs)


def basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Client id and secret as sent; None without the header. Raises Refusal for one that is not Basic."""
    given = headers.get("authorization")
    if given is None:
        return None
    kind, _, words = given.partition(" ")
    try:
        name, colon, secret = base64.b64decode(words.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise unknown_client() from None
    if kind.lower() != "basic" or not colon:
        raise unknown_client()
    return name, secret
