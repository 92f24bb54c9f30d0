from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.world import World, world_of


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One cloud for the tests of a module: they take back what they write, or make things of their own."""
    folder: Path = tmp_path_factory.mktemp("world")
    with world_of(folder) as made:
        yield made
