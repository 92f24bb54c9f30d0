from collections.abc import Callable
from pathlib import Path

import pytest

from pileus.setup import guest_image
from pileus.setup.errors import SetupError
from pileus.setup.places import Places


class Recipe:
    """Builds a file of four bytes, or fails half-way."""

    PACKAGES = ("kmod",)

    def __init__(self) -> None:
        self.built: list[Path] = []
        self.fails = False

    def build(self, out: Path, *, cache: Path, say: Callable[[str], None]) -> None:
        self.built.append(out)
        out.write_bytes(b"half")
        if self.fails:
            raise OSError("no space left")


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    made = Recipe()
    monkeypatch.setattr(guest_image, "recipe", lambda: made)
    return made


@pytest.fixture
def places(tmp_path: Path) -> Places:
    recipes = tmp_path / "src/pileus/image/recipes"
    recipes.mkdir(parents=True)
    (recipes / "pico.py").write_text("KERNEL = 1\n")
    return Places(tmp_path / "src", tmp_path / "library", tmp_path / "cache", None, True)


def test_it_is_built_once_and_again_for_a_changed_recipe(places: Places, recipe: Recipe) -> None:
    first = guest_image.ensure(places)
    assert guest_image.ensure(places) == first
    assert first.read_bytes() == b"half"
    assert len(recipe.built) == 1
    (places.source / "pileus/image/recipes/pico.py").write_text("KERNEL = 2\n")
    assert guest_image.ensure(places) != first
    assert len(recipe.built) == 2


def test_an_unfinished_image_is_never_taken_for_one(places: Places, recipe: Recipe) -> None:
    recipe.fails = True
    with pytest.raises(SetupError, match="no space left"):
        guest_image.ensure(places)
    assert not guest_image.path(places).exists()
    recipe.fails = False
    assert guest_image.ensure(places).exists()


def test_compiled_files_are_no_part_of_the_recipe(places: Places) -> None:
    before = guest_image.path(places)
    cache = places.source / "pileus/image/recipes/__pycache__"
    cache.mkdir()
    (cache / "pico.cpython-311.pyc").write_bytes(b"\0")
    assert guest_image.path(places) == before
