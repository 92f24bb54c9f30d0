"""What a project's images use, against what it may: `[image]` gives the defaults, the kernel's table each project's own."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from sqlalchemy import and_, case, func, not_, select
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Session

from pileus.image.images.models import IMPORTING, PENDING_DELETE, SAVING, UPLOADING, Image
from pileus.image.locations.models import ImageLocation
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import STAGING
from pileus.image.usage.models import QuotaHold
from pileus.kernel import quotas
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import TooLarge
from pileus.kernel.quotas import Bound, Projects, Quotas

MIB = 1 << 20
QUOTAS = Quotas("image")


def bounds(cloud: Cloud, db: Session, project_id: str) -> Sequence[Bound]:
    """The project's own limits first, then what it has together with others."""
    settings = cloud.settings(ImageSettings)
    defaults = {
        "image_size_total": settings.quota_size_mib,
        "image_stage_total": settings.quota_stage_mib,
        "image_count_total": settings.quota_count,
        "image_count_uploading": settings.quota_uploading,
    }
    return quotas.bounds(db, QUOTAS, project_id, defaults)


def usage(db: Session, projects: Projects) -> dict[str, int]:
    """Counts, and sizes in MiB (rounded up), of all these projects together. Data in two stores is there twice."""
    mine = and_(Image.owner.in_(projects), Image.status != PENDING_DELETE)
    busy = case((Image.status.in_((SAVING, UPLOADING, IMPORTING)), 1), else_=0)
    count, uploading = db.execute(select(func.count(), func.coalesce(func.sum(busy), 0)).where(mine)).one()
    return {
        "image_size_total": -(-_stored(db, projects, "image_size_total") // MIB),
        "image_stage_total": -(-_stored(db, projects, "image_stage_total") // MIB),
        "image_count_total": count,
        "image_count_uploading": int(uploading),
    }


def _stored(db: Session, projects: Projects, resource: str) -> int:
    """Bytes that are in stores, or staged."""
    staged = ImageLocation.store == STAGING
    which = staged if resource == "image_stage_total" else not_(staged)
    size = select(func.coalesce(func.sum(ImageLocation.size), 0)).join(Image, Image.id == ImageLocation.image_id)
    return int(db.scalar(size.where(Image.owner.in_(projects), Image.status != PENDING_DELETE, which)) or 0)


def hold(db: Session, project_id: str) -> None:
    """Until the transaction ends nobody else counts what the project has: two who come at once may be too many together.

    On SQLite writers wait for each other anyway.
    """
    if db.get_bind().dialect.name == "sqlite":
        return
    row = mysql.insert(QuotaHold).values(project_id=project_id if quotas.source_of(db) is quotas.STORED else "")
    db.execute(row.on_duplicate_key_update(project_id=QuotaHold.project_id))


def _limited(found: Sequence[Bound], names: Collection[str]) -> bool:
    return any(bound.limits.get(name, quotas.UNLIMITED) != quotas.UNLIMITED for bound in found for name in names)


def check(cloud: Cloud, db: Session, project_id: str | None, asked: Mapping[str, int]) -> None:
    """Raise TooLarge when the project may not have `asked` on top of what it has. Images of no project count nowhere."""
    if project_id is None:
        return
    found = bounds(cloud, db, project_id)
    if _limited(found, asked):
        hold(db, project_id)
    try:
        quotas.enforce(found, partial(usage, db), asked)
    except quotas.Exceeded as error:
        raise TooLarge(f"{error}.") from None


def bytes_left(
    cloud: Cloud, db: Session, project_id: str | None, resource: str = "image_size_total", *, holding: bool = False
) -> int | None:
    """How many bytes of data the project may still store, or stage; None: any. `holding`: it stays so until the transaction ends."""
    if project_id is None:
        return None
    left: list[int] = []
    found = bounds(cloud, db, project_id)
    if holding and _limited(found, (resource,)):
        hold(db, project_id)
    for bound in found:
        limit = bound.limits.get(resource, quotas.UNLIMITED)
        if limit != quotas.UNLIMITED:
            left.append(max(0, limit * MIB - _stored(db, bound.projects, resource)))
    return min(left, default=None)
