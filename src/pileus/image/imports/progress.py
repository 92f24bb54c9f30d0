"""What an image's own properties say of an import: the API's `os_glance_…`."""

from collections.abc import Iterable

from pileus.image.images.models import Image, ImageProperty

TASK = "os_glance_import_task"
LEFT = "os_glance_importing_to_stores"
FAILED = "os_glance_failed_import"


def begin(image: Image, task_id: str, stores: Iterable[str]) -> None:
    _say(image, TASK, task_id)
    _say(image, LEFT, ",".join(stores))
    _say(image, FAILED, "")


def end(image: Image, failed: Iterable[str]) -> None:
    """`failed` are stores that did not get the data."""
    image.extra.pop(TASK, None)
    _say(image, LEFT, "")
    _say(image, FAILED, ",".join(failed))


def _say(image: Image, name: str, value: str) -> None:
    if name in image.extra:
        image.extra[name].value = value
    else:
        image.extra[name] = ImageProperty(name=name, value=value)
