"""What a project's images use, against what it may: `[image]` gives the defaults, the kernel's table each project's own."""

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.image.images.models import SAVING, Image
from pileus.image.settings import ImageSettings
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
        "image_stage_total": quotas.UNLIMITED,
        "image_count_total": settings.quota_count,
        "image_count_uploading": settings.quota_uploading,
    }
    return quotas.bounds(db, QUOTAS, project_id, defaults)


def usage(db: Session, projects: Projects) -> dict[str, int]:
    """Counts, and sizes in MiB (rounded up), of all these projects together."""
    mine = Image.owner.in_(projects)
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
    try:
        quotas.enforce(bounds(cloud, db, project_id), partial(usage, db), asked)
    except quotas.Exceeded as error:
        raise TooLarge(f"{error}.") from None


def bytes_left(cloud: Cloud, db: Session, project_id: str | None) -> int | None:
    """How many bytes of data the project may still store; None: any."""
    if project_id is None:
        return None
    left: list[int] = []
    for bound in bounds(cloud, db, project_id):
        limit = bound.limits.get("image_size_total", quotas.UNLIMITED)
        if limit != quotas.UNLIMITED:
            size = select(func.coalesce(func.sum(Image.size), 0)).where(Image.owner.in_(bound.projects))
            left.append(max(0, limit * MIB - int(db.scalar(size) or 0)))
    return min(left, default=None)
