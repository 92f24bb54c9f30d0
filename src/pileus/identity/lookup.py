"""Finding the thing that a path names, telling nobody who may not know that it is missing."""

from typing import TypeVar

from pileus.kernel.db import Base
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call

T = TypeVar("T", bound=Base)


def find(call: Call, model: type[T], key: str, what: str) -> T:
    """The row, or NotFound for callers who could see it if it were there; Forbidden for all others, as if it were there."""
    row = call.db.get(model, key)
    if row is None:
        raise missing(call, what, key)
    return row


def missing(call: Call, what: str, key: str) -> NotFound:
    call.enforce(call.route.policy, {})
    return NotFound(f"{what} {key} could not be found.")
