"""`pileus identity`, beside a running cloud and as its operator types it."""

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from pileus.roles.state import owner_of_roles
from tests.cli.installation import Installation


def asked(cloud: Installation, *words: str, status: int = 0) -> Any:
    told = cloud.run("identity", *words, "--json")
    assert told.returncode == status, told.stdout
    return json.loads(told.stdout)


def roles(listed: dict[str, Any], name: str) -> list[tuple[int, str]]:
    return [(key["number"], key["role"]) for key in listed[name]["keys"]]


def settle(cloud: Installation, ago: float = 60) -> None:
    """As if the staged keys had been there for so many seconds."""
    for path in (cloud.state / "keys").rglob("0"):
        os.utime(path, (time.time() - ago,) * 2)


def test_keys_are_shown_by_role_and_age_alone(cloud: Installation) -> None:
    told = cloud.run("identity", "keys")
    assert told.returncode == 0, told.stdout
    for path in (path for path in (cloud.state / "keys").rglob("*") if path.is_file()):
        for line in path.read_text().splitlines():
            assert line not in told.stdout
    for word in ("tokens", "jws", "credentials", "primary", "staged"):
        assert word in told.stdout


def test_rotation_under_a_running_cloud(cloud: Installation) -> None:
    before = roles(asked(cloud, "keys"), "tokens")
    token = cloud.token()
    settle(cloud)
    told = cloud.run("identity", "rotate-keys", "tokens")
    assert told.returncode == 0, told.stdout
    after = roles(asked(cloud, "keys"), "tokens")
    assert after[0] == (before[0][0] + 1, "primary")
    assert after[1] == (0, "staged")
    for known in (token, cloud.token()):
        assert cloud.get("/identity/v3/auth/projects", {"x-auth-token": known})[0] == 200
    time.sleep(1.1)
    for known in (token, cloud.token()):
        assert cloud.get("/identity/v3/auth/projects", {"x-auth-token": known})[0] == 200
    owner = owner_of_roles("pileus" if os.geteuid() == 0 else "")
    for path in (cloud.state / "keys").rglob("[0-9]*"):
        held = path.stat()
        assert (held.st_uid, stat.S_IMODE(held.st_mode)) == (owner.uid, 0o600), path


def test_two_rotations_in_a_row_are_one(cloud: Installation) -> None:
    settle(cloud)
    asked(cloud, "rotate-keys", "jws")
    before = roles(asked(cloud, "keys"), "jws")
    settle(cloud, -60)  # however slow this machine is
    assert "not rotated" in asked(cloud, "rotate-keys", "jws", status=1)["jws"]
    assert roles(asked(cloud, "keys"), "jws") == before
    asked(cloud, "rotate-keys", "jws", "--at-once")
    assert roles(asked(cloud, "keys"), "jws") != before


def test_credentials_keys_and_leftovers(cloud: Installation) -> None:
    assert asked(cloud, "migrate-credentials") == {"resealed": 0, "lost": []}
    assert asked(cloud, "flush-tokens") == {"flushed": 0}
    assert asked(cloud, "purge-trusts") == {"purged": 0}
    assert asked(cloud, "purge-mappings", "--type", "user") == {"purged": 0}


RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "UserName"}, {"type": "Org", "any_one_of": ["A"]}]}]


def test_a_mapping_is_tried(cloud: Installation, folder: Path) -> None:
    rules, said = folder / "rules.json", folder / "said"
    said.write_text("UserName: bob\nOrg: B;A\n")
    for written in (RULES, {"rules": RULES}, {"mapping": {"rules": RULES}}):
        rules.write_text(json.dumps(written))
        assert asked(cloud, "test-mapping", str(rules), str(said))["user"]["name"] == "bob"
    said.write_text("UserName: bob\nOrg: B\n")
    assert "Org" in asked(cloud, "test-mapping", str(rules), str(said), status=1)["error"]
    rules.write_text("{")
    assert cloud.run("identity", "test-mapping", str(rules), str(said)).returncode == 1
    missing = cloud.run("identity", "test-mapping", "no-such", str(said))
    assert (missing.returncode, "neither a file nor a mapping" in missing.stdout) == (1, True)


def test_why_somebody_does_not_get_in(cloud: Installation) -> None:
    assert "nobody-of-that-name" in str(asked(cloud, "explain", "nobody-of-that-name"))
    told = cloud.run("identity", "explain", "demo")
    assert (told.returncode, "User demo" in told.stdout) == (0, True)


def test_a_lost_administrator(cloud: Installation) -> None:
    path = cloud.state / "secrets" / "admin_password"
    old, token = cloud.secret("admin_password"), cloud.token()
    told = cloud.run("identity", "reset-admin")
    assert told.returncode == 0, told.stdout
    new = cloud.secret("admin_password")
    assert new != old and new not in told.stdout
    assert new in (cloud.state / "clouds.yaml").read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cloud.get("/identity/v3/users", {"x-auth-token": cloud.token()})[0] == 200
    time.sleep(1)
    assert cloud.get("/identity/v3/users", {"x-auth-token": token})[0] == 401


def test_no_cloud_no_command(fresh: Installation) -> None:
    told = fresh.run("identity", "keys")
    assert told.returncode == 1
    assert "there is no cloud in" in told.stdout


@pytest.mark.parametrize("words", [["rotate-keys", "passwords"], ["no-such"], []])
def test_words_that_mean_nothing(fresh: Installation, words: list[str]) -> None:
    assert fresh.run("identity", *words).returncode == 2
