"""Rows of thousands of images: all kinds, as uploads would have left them."""

from datetime import datetime, timedelta

from sqlalchemy import insert

from pileus.image.images.models import Image, ImageProperty, ImageTag
from pileus.image.locations.models import ImageLocation
from pileus.image.members.models import ImageMember
from pileus.kernel.db import Database

PROJECTS, TAGS, DISTROS = 20, 49, 27  # of each tag and distribution there are images of all kinds
STEP = timedelta(minutes=10)  # from one image to the next
FIRST = datetime(2026, 1, 1) - 9_000 * STEP
KINDS = ("public", *("private",) * 4, *("shared",) * 4, "community")
ALL = "all"  # a tag that every image has


def image_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def project(number: int) -> str:
    return f"{number % PROJECTS:032x}"


def name(number: int) -> str:
    return f"image-{number}"


def tag(number: int) -> str:
    return f"tag-{number % TAGS}"


def digest(number: int) -> str:
    return f"{number:0128x}"


def fill(db: Database, count: int, stores: int) -> None:
    """Images with three properties, two tags, a place in each store; shared ones with two members."""
    numbers = range(count)
    with db.writing() as session:
        session.execute(insert(Image), [_image(number) for number in numbers])
        session.execute(insert(ImageProperty), [row for number in numbers for row in _properties(number)])
        tags = [{"image_id": image_id(n), "value": value} for n in numbers for value in (tag(n), ALL)]
        session.execute(insert(ImageTag), tags)
        shared = [number for number in numbers if _kind(number) == "shared"]
        session.execute(insert(ImageMember), [row for number in shared for row in _members(number)])
        places = [_place(number, store) for number in numbers for store in range(stores)]
        session.execute(insert(ImageLocation), places)


def _kind(number: int) -> str:
    return KINDS[number % len(KINDS)]


def _image(number: int) -> dict[str, object]:
    made = FIRST + number * STEP
    return {
        "id": image_id(number),
        "name": name(number),
        "status": "queued" if number % 40 == 39 else "active",
        "visibility": _kind(number),
        "owner": project(number // len(KINDS)),
        "disk_format": ("qcow2", "raw", "raw", "vmdk")[number % 4],
        "container_format": "bare",
        "size": number << 20,
        "virtual_size": number << 20,
        "checksum": f"{number:032x}",
        "os_hash_algo": "sha512",
        "os_hash_value": digest(number),
        "os_hidden": number % 100 == 50,
        "created_at": made,
        "updated_at": made + timedelta(days=number % 7),
    }


def _properties(number: int) -> list[dict[str, object]]:
    given = {"os_distro": f"distro-{number % DISTROS}", "hw_disk_bus": "virtio", "build": str(number)}
    return [{"image_id": image_id(number), "name": key, "value": value} for key, value in given.items()]


def _members(number: int) -> list[dict[str, object]]:
    owner = number // len(KINDS)
    answers = ((owner + 1, "accepted"), (owner + 2, "pending"))
    return [{"image_id": image_id(number), "member": project(who), "status": status} for who, status in answers]


def _place(number: int, store: int) -> dict[str, object]:
    key, size = f"{number:032x}", number << 20
    return {"image_id": image_id(number), "store": f"store-{store}", "key": key, "position": store, "size": size}
