"""A seeded cloud of identity alone, and people to act in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.settings import IdentitySettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.cloud import cloud_of
from tests.identity.people import PASSWORDS, Caller, log_in

QUICK = IdentitySettings(password_memory=8, password_passes=1)  # test_passwords has the real strength


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder after the seeds: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "secrets").mkdir()
    for name, password in PASSWORDS.items():
        (folder / "secrets" / f"{name}_password").write_text(password + "\n")
    with cloud_of(folder, MANIFEST) as cloud:
        cloud.add(Hasher(QUICK))
        assert MANIFEST.seed is not None
        MANIFEST.seed(cloud)
    return folder


@pytest.fixture
def cloud(seeded: Path, tmp_path: Path) -> Iterator[Cloud]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with cloud_of(tmp_path, MANIFEST) as cloud:
        cloud.add(Hasher(QUICK))
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> TestClient:
    return TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False)


@pytest.fixture
def admin(client: TestClient) -> Caller:
    return log_in(client, "admin", project="admin")


@pytest.fixture
def demo(client: TestClient) -> Caller:
    return log_in(client, "demo", project="demo")
