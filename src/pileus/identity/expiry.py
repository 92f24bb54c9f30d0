"""`expires_at` of what a user hands on: never later than that of what it is handed on with."""

from datetime import datetime

from pileus.kernel import clock
from pileus.kernel.errors import ApiError, BadRequest
from pileus.kernel.http.schema import Unset


def ends(asked: str | Unset | None, latest: datetime | None, too_late: type[ApiError], what: str) -> datetime | None:
    """Naive UTC; without an own wish, `latest`. Raises BadRequest, or `too_late` for a time after that of `what`."""
    if not isinstance(asked, str):
        return latest
    try:
        moment = clock.parse(asked)
    except ValueError:
        raise BadRequest(f"expires_at {asked!r} is not a time; write it as 2030-01-31T12:00:00Z.") from None
    if moment <= clock.now():
        raise BadRequest("expires_at is in the past.")
    if latest is not None and moment > latest:
        raise too_late(f"expires_at is later than that of {what} in use.")
    return moment
