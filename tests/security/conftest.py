from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.imports.conftest import client, cloud, handler, settings, web, work
from tests.security.world import World, world_of

__all__ = ["client", "cloud", "handler", "settings", "web", "work"]  # a cloud that works on imports when a test says so


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One cloud for the tests of a module: they take back what they write, or make things of their own."""
    folder: Path = tmp_path_factory.mktemp("world")
    with world_of(folder) as made:
        yield made
