"""What other services may ask of image, in the caller's own transaction where a session is given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.data import local
from pileus.image.images import queries
from pileus.image.images.models import Image
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Context


class ImageFacts(msgspec.Struct, frozen=True):
    """Sizes in bytes (0: not known), `min_disk` in GiB, `min_ram` in MiB; hashes are in hex, "" where none is known."""

    id: str
    name: str
    status: str
    disk_format: str
    container_format: str
    size: int
    virtual_size: int
    sha512: str
    hash_algorithm: str
    hash_value: str
    min_disk: int
    min_ram: int
    owner: str | None
    visibility: str
    properties: dict[str, str]


def find(db: Session, context: Context, image_id: str) -> ImageFacts | None:
    """The image, if the caller may see it. Only one whose status is `active` can be booted."""
    image = queries.find(db, context, image_id, tags=False)
    return _facts(image) if image is not None else None


def facts(db: Session, image_ids: Sequence[str]) -> dict[str, ImageFacts]:
    """By id, whoever asks; images that are gone are missing."""
    rows = db.scalars(select(Image).where(Image.id.in_(list(image_ids))))
    return {image.id: _facts(image) for image in rows}


def download_url(cloud: Cloud, image_id: str) -> str:
    """Where a caller with a token reads the data (`GET`, `Range` is understood)."""
    return f"{cloud.endpoint('image')}/v2/images/{image_id}/file"


def import_file(
    cloud: Cloud,
    path: Path,
    *,
    name: str,
    disk_format: str,
    owner: str | None,
    visibility: str,
    properties: Mapping[str, str],
    min_disk: int = 0,
    min_ram: int = 0,
) -> str:
    """Make an active image of a local file and return its id; blocks until it is stored.

    An image of that `name` and `owner` that is there already is left as it is; one that an earlier, broken run left without
    data gets it now. Raises FormatRefused, StoreFull, OSError; then no image is left.
    """
    given = Image(
        name=name,
        disk_format=disk_format,
        container_format="bare",
        owner=owner,
        visibility=visibility,
        min_disk=min_disk,
        min_ram=min_ram,
    )
    return local.import_file(cloud, path, given, properties)


def _facts(image: Image) -> ImageFacts:
    return ImageFacts(
        id=image.id,
        name=image.name or "",
        status=image.status,
        disk_format=image.disk_format or "",
        container_format=image.container_format or "",
        size=image.size or 0,
        virtual_size=image.virtual_size or 0,
        sha512=(image.os_hash_value or "") if image.os_hash_algo == "sha512" else "",
        hash_algorithm=image.os_hash_algo or "",
        hash_value=image.os_hash_value or "",
        min_disk=image.min_disk,
        min_ram=image.min_ram,
        owner=image.owner,
        visibility=image.visibility,
        properties={key: value for key, value in image.properties.items() if value is not None},
    )
