"""The unmodified client's Keystone2Keystone, between two clouds over HTTP: it finds the other in its own token."""

import shutil
from pathlib import Path

import pytest
import requests
from keystoneauth1.identity.v3 import Keystone2Keystone, Password
from keystoneauth1.session import Session
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.kernel.http.app import App
from tests.identity.federation.conftest import free_port
from tests.identity.federation.ground import cloud_with, served, set_up
from tests.identity.federation.test_assertions import RULES, beta, provider
from tests.identity.people import PASSWORDS, log_in


def test_keystone_to_keystone(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    near_port, far_port = free_port(), free_port()
    near_address, far_address = f"http://127.0.0.1:{near_port}", f"http://127.0.0.1:{far_port}"
    folders = [tmp_path_factory.mktemp(name) for name in ("near", "far")]
    for folder in folders:
        shutil.copytree(seeded, folder, dirs_exist_ok=True)
    with cloud_with(folders[0], "", near_address) as near, served(App(near, [MANIFEST]), near_port):
        own = TestClient(App(near, [MANIFEST]))
        provider(log_in(own, "admin", project="admin"), far_address)
        metadata = own.get("/identity/v3/OS-FEDERATION/saml2/metadata").text
        lines = beta(folders[1], metadata, near_address)
        with cloud_with(folders[1], lines, far_address) as there, served(App(there, [MANIFEST]), far_port):
            remote_admin = log_in(TestClient(App(there, [MANIFEST])), "admin", project="admin")
            home = set_up(remote_admin, "alpha", "mapped", RULES)["domain_id"]
            local = Password(
                auth_url=f"{near_address}/identity/v3",
                username="demo",
                password=PASSWORDS["demo"],
                user_domain_id="default",
                project_name="demo",
                project_domain_id="default",
            )
            remote = Keystone2Keystone(local, "beta", project_name="demo elsewhere", project_domain_id=home)
            with requests.Session() as http:
                access = remote.get_access(Session(auth=remote, session=http))
            assert access.username == "demo@Default" and access.project_name == "demo elsewhere"
            assert access.role_names == ["reader"]
