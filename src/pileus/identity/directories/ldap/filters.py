"""LDAP filters (RFC 4515) from values that anyone may have chosen."""

import uuid
from collections.abc import Iterable

from pileus.identity.directories.base import Match

GUID = "objectguid"  # Active Directory's, the one id attribute in use that is not text


def escape(value: bytes) -> str:
    """Nothing in `value` can end, widen or change a filter."""
    return "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\{byte:02x}" for byte in value)


def equals(attribute: str, value: str) -> str:
    return f"({attribute}={escape(_bytes(attribute, value))})"


def like(attribute: str, match: Match) -> str:
    if match.mode == "exact":
        return equals(attribute, match.value)
    inner = escape(match.value.encode("utf-8", "surrogatepass"))
    before = "" if match.mode == "startswith" else "*"
    after = "" if match.mode == "endswith" else "*"
    return f"({attribute}={before}{inner}{after})" if inner else f"({attribute}=*)"


def every(parts: Iterable[str | None]) -> str:
    """All of the parts that there are; an operator's own may come without its parentheses."""
    given = [part if part.startswith("(") else f"({part})" for part in parts if part]
    return f"(&{''.join(given)})"


def either(parts: Iterable[str]) -> str:
    return f"(|{''.join(parts)})"


def text(attribute: str, raw: bytes) -> str | None:
    """A value as identity shows it; None when it is not text."""
    if attribute.lower() == GUID and len(raw) == 16:
        return str(uuid.UUID(bytes_le=raw))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _bytes(attribute: str, value: str) -> bytes:
    if attribute.lower() == GUID:
        try:
            return uuid.UUID(value).bytes_le
        except ValueError:
            pass  # matches nothing, which is right
    return value.encode("utf-8", "surrogatepass")
