"""`Range` of a download (RFC 9110, 14.1): one range of bytes."""

import re
from typing import NamedTuple

from pileus.kernel.errors import RangeNotSatisfiable

ONE_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)", re.ASCII | re.IGNORECASE)


class Span(NamedTuple):
    """Bytes `start` up to but not including `end`."""

    start: int
    end: int


def span(header: str | None, size: int) -> Span | None:
    """What of `size` bytes is asked for; None: all. Raises RangeNotSatisfiable, also for more than one range."""
    if header is None:
        return None
    unmet = RangeNotSatisfiable(
        f"Range {header!r} is not one range of bytes inside the image's {size}.",
        headers={"content-range": f"bytes */{size}"},
    )
    match = ONE_RANGE.fullmatch(header.strip())
    if match is None or match.group(1) == match.group(2) == "":
        raise unmet
    first, last = match.groups()
    if first == "":  # the last n bytes
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    if start >= end:
        raise unmet
    return Span(start, end)
