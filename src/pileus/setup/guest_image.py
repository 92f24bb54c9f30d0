"""The small guest image that a first ``up`` puts into the image service, built once a recipe."""

import hashlib
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from pileus.setup.errors import SetupError
from pileus.setup.locking import exclusive
from pileus.setup.places import Places
from pileus.setup.progress import step

_RECIPE = "pileus.image.recipes.pico"


class Recipe(Protocol):
    """A module that builds an image; loaded only when a command needs it, for the others start without."""

    PACKAGES: Sequence[str]  # of Debian, which building takes

    def build(self, out: Path, *, cache: Path, say: Callable[[str], None]) -> object:
        """Make the qcow2 file ``out``, keeping in ``cache`` what the next build can use again."""


def recipe() -> Recipe:
    return cast(Recipe, import_module(_RECIPE))


def packages() -> tuple[str, ...]:
    """Debian packages that building it takes."""
    return tuple(recipe().PACKAGES)


def path(places: Places) -> Path:
    """Where the image is, or will be: a changed recipe gives another one."""
    return places.cache / f"pico-{digest(places.source / 'pileus/image/recipes')}.qcow2"


def digest(recipes: Path) -> str:
    """Eight hex digits of all files below ``recipes``, names and contents."""
    summed = hashlib.sha256()
    for file in sorted(recipes.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            summed.update(f"{file.relative_to(recipes)}\0".encode() + file.read_bytes())
    return summed.hexdigest()[:8]


def ensure(places: Places) -> Path:
    """Build the image unless it is there; it gets its name only when it is whole."""
    image = path(places)
    if image.exists():
        return image
    with exclusive(places.library):
        if not image.exists():
            _build(image)
    return image


def _build(image: Path) -> None:
    image.parent.mkdir(parents=True, exist_ok=True)
    unfinished = image.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with step("Guest image pico") as current:
        try:
            recipe().build(unfinished, cache=image.parent / "packages", say=current.say)
        except Exception as failure:
            # Whatever programs or archives it met: to the person who set up it is one thing.
            problem = f"The guest image could not be built: {type(failure).__name__}: {failure}"
            raise SetupError(
                problem, "It needs this machine's Debian archive once. Run this command again."
            ) from failure
    unfinished.rename(image)
