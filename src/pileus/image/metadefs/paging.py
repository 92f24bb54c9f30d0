"""Lists of the catalog: newest first, pages by name, links to the first page and the next."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Select

from pileus.image.envelope import page_body
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
    schema = f"/v2/schemas{ROOT.removeprefix('/v2')}/{collection}"
    return page_body(call, page, path, schema, view, marker=lambda item: str(getattr(item, listing.key.key)))
