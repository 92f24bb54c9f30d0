"""Words that federation's resources share."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy.types import TypeEngine

from pileus.kernel.columns import exact
from pileus.kernel.errors import BadRequest

NAME: TypeEngine[str] = exact(64)  # ids that administrators choose
Address = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^https?://[^\s]+$")]


def chosen_id(identifier: str) -> str:
    """An id that goes into addresses. Raises BadRequest."""
    if not 0 < len(identifier) <= 64 or not identifier.isprintable():
        raise BadRequest("An id has 1 to 64 printable characters.")
    return identifier
