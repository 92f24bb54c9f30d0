"""Lists of identity: whole unless a page is asked for, or the operator set a longest list (`list_limit`)."""

from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Select

from pileus.identity.settings import IdentitySettings
from pileus.kernel.http import listing
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Page

T = TypeVar("T")


def longest(call: Call) -> int | None:
    """How much of a list is answered to those who name no `limit`; None: all of it."""
    return call.cloud.settings(IdentitySettings).list_limit or None


@dataclass(frozen=True)
class Listing(listing.Listing[T]):
    always_limited: bool = False

    def page(self, call: Call, query: Select[T]) -> Page[T]:
        most = longest(call) if call.query_value("limit") is None else None
        if most is None:
            return super().page(call, query)
        return listing.Listing.page(replace(self, always_limited=True, max_limit=most), call, query)
