"""What a project's images use, against what it may: `[image]` gives the defaults, the kernel's table each project's own."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.image.images.models import SAVING, Image
from pileus.image.settings import ImageSettings
from pileus.kernel import quotas
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import TooLarge

MIB = 1 << 20


def limits(cloud: Cloud, db: Session, project_id: str) -> dict[str, int]:
    settings = cloud.settings(ImageSettings)
    defaults = {
        "image_size_total": settings.quota_size_mib,
        "image_stage_total": quotas.UNLIMITED,
        "image_count_total": settings.quota_count,
        "image_count_uploading": settings.quota_uploading,
    }
    return quotas.limits(db, "image", project_id, defaults)


def usage(db: Session, project_id: str) -> dict[str, int]:
    """Counts, and sizes in MiB (rounded up)."""
    mine = Image.owner == project_id
    count, size = db.execute(select(func.count(), func.coalesce(func.sum(Image.size), 0)).where(mine)).one()
    uploading = db.scalar(select(func.count()).where(mine, Image.status == SAVING)) or 0
    return {
        "image_size_total": -(-int(size or 0) // MIB),
        "image_stage_total": 0,
        "image_count_total": count,
        "image_count_uploading": uploading,
    }


def check(cloud: Cloud, db: Session, project_id: str | None, asked: Mapping[str, int]) -> None:
    """Raise TooLarge when the project may not have `asked` on top of what it has. Images of no project count nowhere."""
    if project_id is None:
        return
    bounds = {name: limit for name, limit in limits(cloud, db, project_id).items() if name in asked}
    if all(limit == quotas.UNLIMITED for limit in bounds.values()):
        return
    try:
        quotas.check(bounds, usage(db, project_id), asked)
    except quotas.Exceeded as error:
        raise TooLarge(f"{error}.") from None


def bytes_left(cloud: Cloud, db: Session, project_id: str | None) -> int | None:
    """How many bytes of data the project may still store; None: any."""
    if project_id is None:
        return None
    limit = limits(cloud, db, project_id)["image_size_total"]
    if limit == quotas.UNLIMITED:
        return None
    size = db.scalar(select(func.coalesce(func.sum(Image.size), 0)).where(Image.owner == project_id)) or 0
    return max(0, limit * MIB - int(size))
