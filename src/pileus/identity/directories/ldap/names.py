"""Distinguished names (RFC 4514): read, and compared."""

import re

_PIECE = re.compile(r"(?:\\.|[^\\,+])+", re.DOTALL)  # up to the next comma or plus that is not escaped
_ESCAPED = re.compile(rb"\\([0-9a-fA-F]{2})|\\(.)", re.DOTALL)
_SPECIAL, _BEFORE = re.compile(r"([\\,+])"), r"\\\1"


def normal(dn: str) -> str:
    """The same DN for every spelling of it."""
    return ",".join(f"{attribute.lower()}={_SPECIAL.sub(_BEFORE, value.lower())}" for attribute, value in _pieces(dn))


def leaf(dn: str) -> tuple[str, str] | None:
    """Attribute and value that name the entry in its parent; None for what is no DN."""
    pieces = _pieces(dn)
    return pieces[0] if pieces and pieces[0][0] else None


def _pieces(dn: str) -> list[tuple[str, str]]:
    split = (piece.partition("=") for piece in _PIECE.findall(dn))
    return [(attribute.strip(), _plain(value).strip()) for attribute, _, value in split]


def _plain(value: str) -> str:
    found = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()) if match[1] else match[2], value.encode())
    return found.decode("utf-8", "replace")
