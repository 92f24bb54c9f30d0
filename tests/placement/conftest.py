"""A cloud with placement alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.http.app import App
from pileus.placement.manifest import MANIFEST
from tests.cloud import Tokens, cloud_of
from tests.placement.client import Client

PLACEMENT = replace(MANIFEST, setup=lambda cloud: cloud.add(Tokens(), Authenticator))


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_of(tmp_path, PLACEMENT) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> Client:
    return Client(TestClient(App(cloud, [PLACEMENT]), raise_server_exceptions=False))
