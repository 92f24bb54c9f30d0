"""Bodies of requests on associations."""

from typing import Annotated

from msgspec import Meta

from pileus.image.metadefs.bodies import Timed
from pileus.image.metadefs.names import Name
from pileus.kernel.http.schema import UNSET, Unset

Short = Annotated[str, Meta(max_length=80)]


class AssociationBody(Timed, kw_only=True):
    """`prefix` with its separator, as in `hw:`."""

    name: Name
    prefix: Short | Unset | None = UNSET
    properties_target: Short | Unset | None = UNSET
