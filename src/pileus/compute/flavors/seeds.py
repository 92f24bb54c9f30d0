"""The flavors that a new cloud starts with."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.flavors.models import Flavor

# id, name, MiB of memory, GiB of disk, virtual CPUs
SIZES = (
    ("42", "m1.nano", 128, 1, 1),
    ("84", "m1.micro", 192, 1, 1),
    ("1", "m1.tiny", 512, 1, 1),
    ("2", "m1.small", 2048, 20, 1),
    ("3", "m1.medium", 4096, 40, 2),
    ("4", "m1.large", 8192, 80, 4),
    ("5", "m1.xlarge", 16384, 160, 8),
)


def seed_flavors(db: Session) -> None:
    """Only into a cloud without flavors: one that an operator deleted does not come back."""
    if db.scalar(select(Flavor.id).limit(1)) is not None:
        return
    db.add_all(Flavor(id=i, name=name, ram=ram, disk=disk, vcpus=vcpus) for i, name, ram, disk, vcpus in SIZES)
