"""Lists of the catalog: newest first, pages by name, links to the first page and the next."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from sqlalchemy import Select

from pileus.image.metadefs.names import ROOT
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing

T = TypeVar("T")


def shown(
    call: Call, listing: Listing[T], query: Select[T], path: str, collection: str, view: Callable[[T], Json]
) -> Json:
    """One page, as `{collection: […], first, next?, schema}`. Raises NotFound for a marker that is not there."""
    try:
        page = listing.page(call, query)
    except BadRequest as error:
        if error.kind != "MarkerNotFound":
            raise
        raise NotFound(f"The {error.message}: it is a name in this list.") from None
    rest = [(name, value) for name, value in call.query if name != "marker"]
    body: Json = {
        collection: [view(item) for item in page.items],
        "first": path + (f"?{urlencode(rest)}" if rest else ""),
        "schema": f"/v2/schemas{ROOT.removeprefix('/v2')}/{collection}",
    }
    if page.more and page.items:
        last = getattr(page.items[-1], listing.key.key)
        body["next"] = f"{path}?{urlencode([*rest, ('marker', last)])}"
    return body
