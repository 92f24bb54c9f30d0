"""What must be so once all is quiet: every byte has a row, every row its bytes, and nothing waits for anybody."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import select

from pileus.image.audit import astray, stuck
from pileus.image.cache.copies import COPY, Copies
from pileus.image.cache.models import CachedImage
from pileus.image.images.models import ACTIVE, QUEUED, UPLOADING, Image, ImageProperty
from pileus.image.imports.progress import TASK
from pileus.image.locations.models import ImageLocation
from pileus.image.stores.registry import STAGING, Stores
from pileus.image.tasks.models import RUNNING, Task
from pileus.image.usage import quotas
from pileus.kernel.cloud import Cloud
from tests.image.api.people import eventually
from tests.image.kills.site import PATIENCE, Site

SETTLED = (QUEUED, UPLOADING, ACTIVE)
MIB = 1 << 20


def wrongs(cloud: Cloud) -> list[str]:
    """Empty once all is as it must be."""
    with cloud.db.reading() as db:
        images = {image.id: image for image in db.scalars(select(Image))}
        rows = list(db.scalars(select(ImageLocation)))
        tasks = list(db.scalars(select(Task).where(Task.status.in_(RUNNING))))
        marks = list(db.scalars(select(ImageProperty.image_id).where(ImageProperty.name == TASK)))
        cached = list(db.scalars(select(CachedImage)))
        usage = {owner: quotas.usage(db, [owner]) for owner in {i.owner for i in images.values() if i.owner}}
    found = [f"image {i.id} is {i.status}" for i in images.values() if i.status not in SETTLED]
    found += [
        f"image {row.image_id}: {row.store} is written until {row.until}" for row in rows if row.until is not None
    ]
    found += [f"image {image_id} still has {TASK}" for image_id in marks]
    found += [f"task {task.id} of image {task.image_id} is {task.status}" for task in tasks]
    staged = {row.image_id for row in rows if row.store == STAGING}
    stored = {row.image_id for row in rows if row.store != STAGING}
    for image in images.values():
        if (image.status == ACTIVE) != (image.id in stored) or (image.status == UPLOADING) != (image.id in staged):
            found.append(f"image {image.id} is {image.status} and its data is not where it should be")
    for store in cloud.part(Stores).written():
        named = {f"{row.image_id}.{row.key}": row.size for row in rows if row.store == store.name}
        found += _differences(store.name, named, Path(str(store.properties()["data_dir"])))
    copies = cloud.part(Copies)
    whole = {f"{row.image_id}.{COPY}": row.size for row in cached if row.size is not None}
    found += _differences("cache", whole, copies.folder)
    with cloud.db.reading() as db:
        found += [*stuck(db), *astray(db, cloud.config)]
    for owner, used in usage.items():
        mine = [row for row in rows if images[row.image_id].owner == owner]
        found += _miscounted(owner, used, mine)
    return found


def _differences(name: str, named: Mapping[str, int | None], folder: Path) -> list[str]:
    there = {file.name: file.stat().st_size for file in folder.iterdir()} if folder.exists() else {}
    found = [f"{name} has {file}, which nobody names" for file in there.keys() - named.keys()]
    found += [f"{name} has lost {file}" for file in named.keys() - there.keys()]
    return found + [
        f"{name}: {file} has {there[file]} bytes, not {named[file]}"
        for file in named.keys() & there.keys()
        if there[file] != named[file]
    ]


def _miscounted(owner: str, used: dict[str, int], rows: Iterable[ImageLocation]) -> list[str]:
    sizes = {"image_size_total": 0, "image_stage_total": 0}
    for row in rows:
        sizes["image_stage_total" if row.store == STAGING else "image_size_total"] += row.size or 0
    return [
        f"project {owner} has {size} bytes of {name} and is counted {used[name]} MiB"
        for name, size in sizes.items()
        if used[name] != -(-size // MIB)
    ]


def converges(site: Site) -> None:
    """With all processes up."""
    site.start()
    assert eventually(lambda: not _quiet(site), PATIENCE), wrongs(site.cloud)


def _quiet(site: Site) -> list[str]:
    try:
        return wrongs(site.cloud)
    except OSError:  # a file went while it was looked at
        return ["something moves"]
