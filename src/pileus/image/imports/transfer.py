"""Moving an import's data: onto this host's disk where a plugin needs a file, and into the stores."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.orm import Session

from pileus.image.data.intake import Intake, Oversize, Received
from pileus.image.data.lease import Place
from pileus.image.drivers.base import Sink, StoreFailed, StoreFull
from pileus.image.formats import FormatRefused
from pileus.image.images.models import Image
from pileus.image.imports.errors import ImportFailed
from pileus.image.imports.fanout import FanOut
from pileus.image.imports.job import Job
from pileus.image.imports.sources import Incoming, blocks
from pileus.image.imports.watch import Watch
from pileus.image.settings import ImageSettings
from pileus.image.signatures.properties import SignatureRefused
from pileus.image.signatures.signers import Signers
from pileus.image.signatures.verifier import verifier
from pileus.image.stores.registry import STAGING, Stores
from pileus.image.usage import quotas
from pileus.image.web import Failed
from pileus.kernel.cloud import Cloud

MIB = 1 << 20


class Stored(NamedTuple):
    """Where the data is now, and in which stores it could not be put."""

    received: Received
    places: list[Place]
    failed: list[str]


def land(cloud: Cloud, watch: Watch, job: Job, incoming: Incoming) -> tuple[Path, Received, Place]:
    """All of it into a file of this host, checked."""
    place = watch.reserve(STAGING)
    sink = cloud.part(Stores).staging.create(place.data)
    try:
        received = _move(cloud, watch, job, incoming, sink, most=_most(cloud, job, 1))
    except BaseException:
        sink.abort()
        raise
    return staged_path(cloud, place), received, place


def staged_path(cloud: Cloud, place: Place) -> Path:
    path = cloud.part(Stores).staging.path(place.data)
    if path is None:
        raise StoreFailed("The staged data is gone.")
    return path


def store(cloud: Cloud, watch: Watch, job: Job, incoming: Incoming, names: Sequence[str]) -> Stored:
    """Into all of the stores at once; at least one has it, or this raises."""
    stores = cloud.part(Stores)
    places = {name: watch.reserve(name) for name in names}
    sinks: dict[str, Sink] = {}
    failures: dict[str, Exception] = {}
    for name, place in places.items():
        found = stores.get(name)
        try:
            if found is None:
                raise StoreFailed(f"There is no store {name} any more.")
            sinks[name] = found.create(place.data)
        except (StoreFailed, StoreFull, OSError) as error:
            failures[name] = error
    if not sinks:
        raise next(iter(failures.values()))
    with FanOut(sinks, failures) as fan:
        received = _move(cloud, watch, job, incoming, fan, most=_most(cloud, job, len(names)))
        if fan.failures and job.all_must_succeed:
            fan.abort()
            raise next(iter(fan.failures.values()))
    for name in fan.failures:
        watch.give_up(places[name])
    return Stored(received, [places[name] for name in names if name in fan.committed], [*fan.failures])


def fits(cloud: Cloud, db: Session, job: Job, size: int) -> None:
    """Imports that ran beside each other may be too much together. Raises ImportFailed."""
    left = quotas.bytes_left(cloud, db, job.owner, holding=True)
    if left is not None and size > left:
        raise ImportFailed(str(Oversize(left)))


def look_at(cloud: Cloud, watch: Watch, job: Job, incoming: Incoming, algorithm: str) -> Received:
    """Read all of it and keep nothing."""
    return _move(cloud, watch, job, incoming, None, most=_most(cloud, job, 1), algorithm=algorithm)


def _move(
    cloud: Cloud,
    watch: Watch,
    job: Job,
    incoming: Incoming,
    sink: Sink | None,
    *,
    most: int | None,
    algorithm: str = "sha512",
) -> Received:
    """Raises ImportFailed, Stopped, StoreFailed, StoreFull."""
    try:
        intake = Intake(
            sink,
            most,
            job.disk_format,
            container_format=job.container_format,
            algorithm=algorithm,
            witness=verifier(job.properties, cloud.part(Signers).certificates) if job.signed else None,
            inside=cloud.settings(ImageSettings).max_converted,
        )
        with ExitStack() as stack:
            coming = blocks(incoming, cloud.settings(ImageSettings).block_size)
            stack.callback(coming.close)
            for block in coming:
                watch.check()
                intake.take(block)
                watch.say(_progress(intake.size, incoming.size))
        return intake.finish()
    except (FormatRefused, Oversize, SignatureRefused, Failed) as error:
        raise ImportFailed(str(error)) from None


def _progress(done: int, size: int | None) -> str:
    share = f" ({100 * done // size}%)" if size else ""
    return f"Copied {done // MIB} MiB{share}"


def _most(cloud: Cloud, job: Job, copies: int) -> int | None:
    """How many bytes may come, if so many copies are kept."""
    settings = cloud.settings(ImageSettings)
    with cloud.db.reading() as db:
        left = quotas.bytes_left(cloud, db, job.owner)
        known = db.get(Image, job.image_id)
    bounds = [settings.max_size or None, left // copies if left is not None and known is not None else None]
    return min((bound for bound in bounds if bound is not None), default=None)
