"""Getting an import's data: from where it was staged, from a URL, from another region, from a store that has it."""

from collections.abc import Mapping
from functools import partial

import msgspec
from sqlalchemy import select

from pileus.identity import internal as identity
from pileus.image.images.models import Image
from pileus.image.imports.errors import ImportFailed, Stopped
from pileus.image.imports.job import Job
from pileus.image.imports.schemas import COPY_IMAGE, GLANCE_DIRECT, GLANCE_DOWNLOAD
from pileus.image.imports.sources import FileIncoming, Incoming, StoredIncoming
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import key_of, open_first, whole
from pileus.image.protections.protections import Protections
from pileus.image.protections.rules import Operation
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import STAGING, Stores
from pileus.image.tasks.models import COPY_IMAGE as COPY_TASK
from pileus.image.tasks.models import IMPORT
from pileus.image.web import Failed, Refused, Web
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Context
from pileus.kernel.errors import ApiError

DESCRIPTION = 1 << 20  # bytes that another region may take to describe an image


def incoming(cloud: Cloud, job: Job) -> Incoming:
    """Raises ImportFailed, Stopped."""
    method = job.method.get("name")
    if job.kind == IMPORT:
        return _from_url(cloud, str(job.asked.get("import_from")))
    if job.kind == COPY_TASK or method == COPY_IMAGE:
        return _from_stores(cloud, job)
    if method == GLANCE_DIRECT:
        return _staged(cloud, job)
    if method == GLANCE_DOWNLOAD:
        return _from_region(cloud, job)
    return _from_url(cloud, str(job.method.get("uri")))


def _staged(cloud: Cloud, job: Job) -> Incoming:
    with cloud.db.reading() as db:
        rows = db.scalars(
            select(ImageLocation).where(ImageLocation.image_id == job.image_id, ImageLocation.store == STAGING)
        ).all()
        there = db.get(Image, job.image_id) is not None
    for row in rows:
        path = cloud.part(Stores).staging.path(key_of(row)) if row.until is None and not row.details else None
        if path is not None:
            return FileIncoming(path)
    if not there:
        raise Stopped
    raise ImportFailed("The staged data is not there any more: stage it again.")


def _from_stores(cloud: Cloud, job: Job) -> Incoming:
    stores = cloud.part(Stores)
    with cloud.db.reading() as db:
        image = db.get(Image, job.image_id)
        if image is None:
            raise Stopped
        rows = whole(image, stores)
    try:
        return StoredIncoming(open_first(stores, rows))
    except ApiError as error:
        raise ImportFailed(error.message) from None


def _from_url(cloud: Cloud, url: str) -> Incoming:
    try:
        return cloud.part(Web).open(url)
    except (Refused, Failed) as error:
        raise ImportFailed(f"The data could not be downloaded: {error}") from None


def _from_region(cloud: Cloud, job: Job) -> Incoming:
    """The image's formats and some of its properties come along. The user's own token reads it there."""
    region = str(job.method.get("glance_region") or cloud.config.cloud.region)
    interface = str(job.method.get("glance_service_interface") or "public")
    with cloud.db.reading() as db:
        there = identity.endpoint(cloud, db, "image", region, interface)
    if there is None:
        raise ImportFailed(f"The catalog has no {interface} endpoint of the image service in region {region!r}.")
    if job.token is None:
        raise ImportFailed("The token that the import was asked with is gone: ask again.")
    url = f"{there.removesuffix('/v2')}/v2/images/{job.method.get('glance_image_id')}"
    headers = {"x-auth-token": job.token}
    try:
        _adopt(cloud, job, _described(cloud, url, headers))
        return cloud.part(Web).open(f"{url}/file", trusted=True, headers=headers)
    except (Refused, Failed) as error:
        raise ImportFailed(f"The image could not be read in region {region!r}: {error}") from None


def _described(cloud: Cloud, url: str, headers: Mapping[str, str]) -> dict[str, object]:
    answer = cloud.part(Web).open(
        url, trusted=True, headers={**headers, "accept": "application/json"}, limit=DESCRIPTION
    )
    try:
        parts: list[bytes] = []
        while part := answer.read(65536):
            parts.append(part)
    finally:
        answer.close()
    try:
        return msgspec.json.decode(b"".join(parts), type=dict[str, object])
    except msgspec.DecodeError:
        raise ImportFailed("The other region does not describe the image as the API documents it.") from None


def _adopt(cloud: Cloud, job: Job, there: Mapping[str, object]) -> None:
    if there.get("status") != "active":
        raise ImportFailed(f"The image is {there.get('status')} in its region: only active images can be imported.")
    job.disk_format, job.container_format = str(there.get("disk_format")), str(there.get("container_format"))
    wanted = cloud.settings(ImageSettings).download_properties
    asker = Context(project_id=job.owner, roles=tuple(job.roles))
    policy = partial(cloud.policy.allows, asker, target={"project_id": job.owner})
    protections = cloud.part(Protections)
    for name, value in there.items():
        operation: Operation = "update" if name in job.properties else "create"
        known = isinstance(value, str) and name.startswith(wanted)
        if known and protections.allowed(operation, name, job.roles, policy):
            job.adopted[name] = str(value)
