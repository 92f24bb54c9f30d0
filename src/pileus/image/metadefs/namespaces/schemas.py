"""Bodies of requests on namespaces."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.image.metadefs.bodies import Linked
from pileus.image.metadefs.definitions import Definitions
from pileus.image.metadefs.names import Name
from pileus.kernel.http.schema import UNSET, OpenShape, Unset

Short = Annotated[str, Meta(max_length=80)]


class NestedAssociation(OpenShape):
    name: Name
    prefix: Short | Unset | None = UNSET
    properties_target: Short | Unset | None = UNSET


class NestedObject(OpenShape):
    name: Name
    description: str | Unset | None = UNSET
    properties: Definitions | Unset = UNSET
    required: list[str] | Unset = UNSET


class NestedTag(OpenShape):
    name: Name


class NamespaceBody(Linked, kw_only=True):
    """A new namespace, with what is in it; or the attributes of one that there is: then its contents stay as they are."""

    namespace: Name
    display_name: Short | Unset | None = UNSET
    description: Annotated[str, Meta(max_length=500)] | Unset | None = UNSET
    visibility: Literal["public", "private"] = "private"
    protected: bool = False
    owner: Annotated[str, Meta(min_length=1, max_length=255)] | Unset = UNSET
    properties: Definitions | Unset = UNSET
    objects: list[NestedObject] | Unset = UNSET
    tags: list[NestedTag] | Unset = UNSET
    resource_type_associations: list[NestedAssociation] | Unset = UNSET
