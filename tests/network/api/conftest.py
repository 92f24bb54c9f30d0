"""The network API in this process, with one fake host that runs everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.http.app import App
from pileus.network import internal
from pileus.network.manifest import MANIFEST
from tests.cloud import Tokens, cloud_of
from tests.network.api.client import Api


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_of(tmp_path, MANIFEST) as cloud:
        cloud.add(Tokens(), Authenticator)
        with cloud.db.writing() as db:
            internal.register_host(db, "h1", "192.0.2.1", ["public"], "fake")
        yield cloud


@pytest.fixture
def http(cloud: Cloud) -> TestClient:
    return TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False)


@pytest.fixture
def member(http: TestClient) -> Api:
    return Api(http, "p1:member,reader")


@pytest.fixture
def other(http: TestClient) -> Api:
    return Api(http, "p2:member,reader")


@pytest.fixture
def admin(http: TestClient) -> Api:
    return Api(http, "adm:admin,manager,member,reader")


@pytest.fixture
def reader(http: TestClient) -> Api:
    return Api(http, "p1:reader")
