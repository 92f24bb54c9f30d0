"""The names that requests carry, as types for shapes; and one spelling for ids."""

import uuid
from typing import Annotated

from msgspec import Meta

from pileus.kernel.errors import BadRequest

LARGEST = 2**31 - 1
CUSTOM = "CUSTOM_"

UUID = r"^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\Z"
Uuid = Annotated[str, Meta(pattern=UUID)]
Name = Annotated[str, Meta(pattern=r"^[A-Z0-9_]+\Z", max_length=255)]
CustomName = Annotated[str, Meta(pattern=r"^CUSTOM_[A-Z0-9_]+\Z", max_length=255)]
Owner = Annotated[str, Meta(min_length=1, max_length=255)]
Amount = Annotated[int, Meta(ge=1, le=LARGEST)]
Natural = Annotated[int, Meta(ge=0, le=LARGEST)]


def canonical(text: str, what: str) -> str:
    """The id with dashes, in small letters. Raises BadRequest."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise BadRequest(f"{what} must be a UUID, not {text!r}.") from None


def is_custom(name: str) -> bool:
    """`CUSTOM_` and at least one more of A-Z, 0-9 and _; 255 characters at most."""
    rest = name.removeprefix(CUSTOM)
    return (
        name != rest != ""
        and len(name) <= 255
        and all(c == "_" or (c.isascii() and (c.isdigit() or c.isupper())) for c in rest)
    )
