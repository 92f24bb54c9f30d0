"""What the configured file means for a request."""

import dataclasses
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.image.protections import callers
from pileus.image.protections.protections import Protections
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.kernel.http.app import App
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE
from tests.image.api.people import ADMIN, MEMBER

PROPERTIES = {"x_billing": "7", "os_distro": "debian"}


def setup(cloud: Cloud) -> None:
    assert IMAGE.setup is not None
    IMAGE.setup(cloud)
    cloud.add(callers.load(cloud))


def shown(call: Call) -> Json:
    callers.enforce(call, "create", "os_distro")
    return callers.readable(call, PROPERTIES)


ASKED = dataclasses.replace(IMAGE, setup=setup, routes=(*IMAGE.routes, Route("GET", "/v2/shown", shown, "get_images")))


def configured(tmp_path: Path, text: str, by: str) -> Path:
    rules, file = tmp_path / "protections.conf", tmp_path / "pileus.toml"
    rules.write_text(text)
    file.write_text(f'[image]\nproperty_protection_file = "{rules}"\nproperty_protection_rule_format = "{by}"\n')
    return file


def section(pattern: str, who: str) -> str:
    return f"[{pattern}]\n" + "".join(f"{operation} = {who}\n" for operation in ("create", "read", "update", "delete"))


@pytest.mark.parametrize(
    ("by", "admin", "member"), [("roles", "admin", "member"), ("policies", "admin_required", "add_image")]
)
def test_a_file_of_either_kind(tmp_path: Path, by: str, admin: str, member: str) -> None:
    file = configured(tmp_path, section("^x_", admin) + section(".*", member), by)
    with cloud_of(tmp_path, ASKED, file=file) as cloud, TestClient(App(cloud, [ASKED])) as client:
        assert client.get("/image/v2/shown", headers=MEMBER).json() == {"os_distro": "debian"}
        assert client.get("/image/v2/shown", headers=ADMIN).json() == PROPERTIES
        nobody = client.get("/image/v2/shown", headers={"x-auth-token": "p1:reader"})
        assert nobody.status_code == 403 and "os_distro" in nobody.text


def test_without_a_file(tmp_path: Path) -> None:
    with cloud_of(tmp_path, ASKED) as cloud:
        assert cloud.part(Protections).allowed("delete", "anything", (), lambda name: False)


def test_a_policy_that_there_is_not_refuses_the_start(tmp_path: Path) -> None:
    file = configured(tmp_path, section(".*", "no_such_rule"), "policies")
    with pytest.raises(ConfigError, match="no_such_rule"), cloud_of(tmp_path, ASKED, file=file):
        pass
