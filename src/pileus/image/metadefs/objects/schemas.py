"""Bodies of requests on objects."""

from pileus.image.metadefs.bodies import Linked
from pileus.image.metadefs.definitions import Definitions
from pileus.image.metadefs.names import Name
from pileus.kernel.http.schema import UNSET, Unset


class ObjectBody(Linked, kw_only=True):
    name: Name
    description: str | Unset | None = UNSET
    properties: Definitions | Unset = UNSET
    required: list[str] | Unset = UNSET
