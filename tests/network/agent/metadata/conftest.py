import os
from collections.abc import Iterator

import pytest
from tests.network.agent.l3.ground import own_machine


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("makes network namespaces: needs root")
    with own_machine():
        yield
