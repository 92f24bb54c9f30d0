"""Names in the catalog of definitions: parts of paths, compared byte by byte, 80 characters of the basic plane."""

from typing import Annotated
from urllib.parse import quote

from msgspec import Meta

from pileus.kernel.columns import exact
from pileus.kernel.errors import BadRequest

LONGEST = 80
ROOT = "/v2/metadefs"
NAMESPACES = f"{ROOT}/namespaces"
NAMESPACE = f"{NAMESPACES}/{{namespace_name}}"
COLUMN = exact(LONGEST)

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


def check(name: str, place: str) -> str:
    """The name, if requests can ask for it later; `place` is where the body has it. Raises BadRequest."""
    if any(ord(letter) > 0xFFFF for letter in name):
        raise BadRequest(f"Invalid input: names have no characters of 4 bytes in UTF-8 - at `{place}`")
    if "/" in name or name in (".", "..") or not name.isprintable() or name != name.strip():
        raise BadRequest(
            "Invalid input: names are parts of addresses, so they have no slash, no control characters and no blanks "
            f"at their ends, and are not dots alone - at `{place}`"
        )
    return name


def address(namespace: str, *parts: str) -> str:
    """The path of a namespace, or of what is in it."""
    return "/".join((NAMESPACES, *(quote(part, safe=":") for part in (namespace, *parts))))
