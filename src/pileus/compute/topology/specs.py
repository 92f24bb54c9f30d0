"""What a flavor and an image say of the same thing, and which of them has the word (Compute's admin guide, CPU topologies, Huge pages).

A flavor is an administrator's, an image anybody's: where both speak, the flavor wins or the request is refused, by the guide's rule for
each property.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from pileus.kernel.errors import BadRequest

PAGE = re.compile(r"(\d{1,12})(?:([KMGT])i?(B|b|bit)?)?", re.IGNORECASE)
FACTOR = {"k": 1, "m": 1024, "g": 1024**2, "t": 1024**3}
NAMED_PAGES = ("small", "large", "any")


class Specs(NamedTuple):
    """Extra specs of a flavor, properties of an image."""

    flavor: Mapping[str, str]
    image: Mapping[str, str]

    def both(self, name: str) -> tuple[str | None, str | None]:
        """The values of `hw:<name>` and `hw_<name>`."""
        return self.flavor.get(f"hw:{name}") or None, self.image.get(f"hw_{name}") or None

    def only_one(self, name: str) -> str | None:
        """Either may say it, but not both."""
        flavor, image = self.both(name)
        if flavor is not None and image is not None:
            raise BadRequest(f"Image property 'hw_{name}' is not permitted to override what the flavor sets.")
        return flavor or image

    def alike(self, name: str) -> str | None:
        """Either may say it; both must say the same."""
        flavor, image = self.both(name)
        if flavor is not None and image is not None and flavor != image:
            raise BadRequest(
                f"Image property 'hw_{name}' is {image!r}, which contradicts {flavor!r} of the flavor's extra spec 'hw:{name}'."
            )
        return flavor or image

    def one_of(self, name: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
        if value is not None and value not in allowed:
            raise BadRequest(f"{value!r} is no value of 'hw:{name}' or 'hw_{name}': it takes {', '.join(allowed)}.")
        return value

    def number(self, name: str, value: str | None) -> int | None:
        """A whole number from 1 on."""
        if value is None:
            return None
        if re.fullmatch("[1-9][0-9]{0,8}", value) is None:
            raise BadRequest(f"{value!r} is no value of 'hw:{name}' or 'hw_{name}': it takes a number from 1 on.")
        return int(value)


def cpu_policy(specs: Specs) -> str | None:
    """shared, dedicated, mixed, or None. A flavor that says dedicated is followed; else an image may not ask for more than the flavor."""
    name, allowed = "cpu_policy", ("shared", "dedicated", "mixed")
    flavor, image = (specs.one_of(name, value, allowed) for value in specs.both(name))
    if flavor is None or image is None or flavor in ("dedicated", image):
        return flavor or image
    if flavor == "mixed" and image == "shared":
        return flavor
    raise BadRequest(
        f"Image property 'hw_cpu_policy' asks for CPUs that are {image}, which the flavor's policy {flavor} does not permit."
    )


def page_size(specs: Specs) -> str | int | None:
    """small, large, any, or KiB. An image may choose only where the flavor says any, large, or nothing."""
    flavor, image = (None if value is None else _page(value) for value in specs.both("mem_page_size"))
    if flavor is not None and image is not None and flavor not in ("any", "large"):
        raise BadRequest(
            f"Image property 'hw_mem_page_size' is {image!r}, which the flavor's page size {flavor!r} does not permit."
        )
    if flavor == "large" and image in ("small", "any"):
        return flavor
    return image if image is not None else flavor


def _page(value: str) -> str | int:
    if value.lower() in NAMED_PAGES:
        return value.lower()
    found = PAGE.fullmatch(value)
    if found is None or int(found[1]) == 0:
        raise BadRequest(f"{value!r} is no page size: it takes small, large, any, or a size as 2048, 2MB or 1GiB.")
    size = int(found[1]) * FACTOR[(found[2] or "k").lower()]
    return size // 8 if found[3] in ("b", "bit") else size
