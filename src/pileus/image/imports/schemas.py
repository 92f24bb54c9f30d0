"""The body of `POST /v2/images/{image_id}/import`."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset

GLANCE_DIRECT, WEB_DOWNLOAD = "glance-direct", "web-download"
COPY_IMAGE, GLANCE_DOWNLOAD = "copy-image", "glance-download"
Name = Annotated[str, Meta(min_length=1, max_length=255)]


class Method(Shape):
    """`uri` for web-download; the `glance_…` for glance-download, region and interface by default this cloud's public ones."""

    name: str
    uri: Annotated[str, Meta(min_length=1, max_length=2048)] | Unset = UNSET
    glance_image_id: str | Unset = UNSET
    glance_region: Name | Unset = UNSET
    glance_service_interface: Name | Unset = UNSET


class ImportBody(Shape):
    """`stores` and `all_stores` are alternatives; neither: the default store."""

    method: Method
    stores: Annotated[list[Name], Meta(min_length=1, max_length=64)] | Unset = UNSET
    all_stores: bool = False
    all_stores_must_succeed: bool = True
