"""What caches are told since microversion 1.15, and the short form of addresses in answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from pileus.kernel import clock
from pileus.kernel.http.call import Call, Reply


def fresh(
    call: Call,
    body: object = None,
    *,
    when: datetime | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """`when` is the time of the last change (naive UTC); now for what does not keep one."""
    told = dict(headers or {})
    if call.at_least(1, 15):
        told["last-modified"] = format_datetime((when or clock.now()).replace(tzinfo=UTC), usegmt=True)
        told["cache-control"] = "no-cache"
    return Reply(body, status=status, headers=told)


def href(call: Call, path: str) -> str:
    """A link inside this service: the path with the service's prefix, without the host."""
    return urlsplit(call.url(path)).path
