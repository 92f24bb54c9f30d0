"""When a request was signed: the forms of a time that clients write, and whether that is now."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pileus.kernel import clock


def parse(text: str) -> datetime | None:
    """ISO 8601 in its long and short form, HTTP's date, or epoch seconds, as naive UTC; None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) in (9, 10, 11):
        return datetime.fromtimestamp(int(text), UTC).replace(tzinfo=None)
    for read in (clock.parse, _http):
        try:
            return read(text)
        except (ValueError, OverflowError):
            continue
    return None


def is_now(moment: datetime, ttl: int) -> bool:
    """Not more than `ttl` seconds ago, nor ahead."""
    return abs(clock.now() - moment) <= timedelta(seconds=ttl)


def lasts(moment: datetime, seconds: str | None) -> bool:
    """Is a request, good for `seconds` from `moment` by its own word, still good? None: it says nothing."""
    if seconds is None:
        return True
    return seconds.isdecimal() and len(seconds) < 10 and clock.now() <= moment + timedelta(seconds=int(seconds))


def _http(text: str) -> datetime:
    """`Tue, 27 Mar 2007 19:36:42 +0000`. Raises ValueError."""
    when = parsedate_to_datetime(text)
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
