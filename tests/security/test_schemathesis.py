"""Every operation of identity, fuzzed from the description that we serve: no 5xx, and no answer that the description denies.

`PILEUS_FUZZ_EXAMPLES=500` looks longer. The same examples every time.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from schemathesis import APIOperation

from pileus.identity.manifest import MANIFEST
from tests.security.described import fuzz, operations
from tests.security.world import World

OPERATIONS = operations(MANIFEST)


@pytest.fixture(scope="module")
def still(world: World) -> Iterator[World]:
    """Nothing that is asked lasts."""
    with world.taken_back():
        yield world


@pytest.mark.parametrize("who", ["admin", "member"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method.upper()} {operation.path}")
def test_the_answers_are_as_described(still: World, operation: APIOperation[Any, Any, Any, Any], who: str) -> None:
    fuzz(still, MANIFEST.name, operation, who)
