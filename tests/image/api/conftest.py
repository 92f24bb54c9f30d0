"""A cloud with the image service alone, and people who use it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import pileus.identity.manifest  # all of identity's tables: image asks its catalog
from pileus.image.manifest import MANIFEST, setup
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.http.app import App
from tests.cloud import Tokens, cloud_of

JSON = {"accept": "application/json"}


def _setup(cloud: Cloud) -> None:
    setup(cloud)
    cloud.add(Tokens(), Authenticator)


assert pileus.identity.manifest
IMAGE = replace(MANIFEST, setup=_setup)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_of(tmp_path, IMAGE) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> Iterator[TestClient]:
    with TestClient(App(cloud, [IMAGE]), raise_server_exceptions=False, headers=JSON) as client:
        yield client
