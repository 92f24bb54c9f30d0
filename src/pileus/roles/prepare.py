"""What happens before the roles start, as the roles' own user: migrations, seeds, the guest image."""

import logging
import tempfile
from functools import partial
from pathlib import Path

from pileus import migrations
from pileus.composition import sow
from pileus.identity import internal as identity
from pileus.image import internal as images
from pileus.kernel import seeds
from pileus.kernel.cloud import Cloud

log = logging.getLogger(__name__)
GUEST_IMAGE = "pico"


def prepare(cloud: Cloud, guest_image: Path) -> None:
    """Safe to repeat: writes only what is missing."""
    migrations.upgrade(cloud.db)
    sow(cloud)
    seeds.once(cloud.db, "guest-image", 1, partial(_import_guest, cloud, guest_image))


def _import_guest(cloud: Cloud, guest_image: Path) -> None:
    with cloud.db.reading() as db:
        owner = identity.project_id(db, "admin")
    assert owner is not None  # the seeds have just made it
    if guest_image.exists():
        _import(cloud, owner, guest_image, "qcow2")
    elif cloud.config.cloud.hypervisor == "fake":
        with tempfile.TemporaryDirectory() as folder:
            blank = Path(folder) / "blank.raw"
            blank.write_bytes(bytes(1 << 20))
            _import(cloud, owner, blank, "raw")


def _import(cloud: Cloud, owner: str, file: Path, disk_format: str) -> None:
    images.import_file(
        cloud,
        file,
        name=GUEST_IMAGE,
        disk_format=disk_format,
        owner=owner,
        visibility="public",
        properties={"os_distro": GUEST_IMAGE, "hw_rng_model": "virtio"},
        min_disk=1,
        min_ram=64,
    )
