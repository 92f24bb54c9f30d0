"""No log and no file tells a secret, and no answer tells one to who may not know it (2014-7230, 2015-9543)."""

import asyncio
import base64
import logging
from pathlib import Path

import pytest

from tests.living import living_cloud

ADMIN_PASS = "Admin-Pass-Known-4711"
USER_DATA = "user-data-known-4711"
PASSWORD = "Password-Known-4711"


async def life(folder: Path) -> dict[str, str]:
    """Things that know secrets, done well and badly; what must not be found afterwards."""
    async with living_cloud(folder) as cloud:
        secret = cloud.cloud.config.secret
        user = {"user": {"name": "known", "password": PASSWORD, "domain_id": "default"}}
        status, made = await cloud.ask("POST", "/identity/v3/users", user, user="admin")
        assert status == 201
        wrong = {"user": {"original_password": PASSWORD + "x", "password": PASSWORD + "y"}}
        await cloud.ask("POST", f"/identity/v3/users/{made['user']['id']}/password", wrong)
        await cloud.ask("POST", "/identity/v3/users", user, user="admin")  # again: a conflict, with the body at hand
        data = base64.b64encode(USER_DATA.encode()).decode()
        server = await cloud.boot(adminPass=ADMIN_PASS, user_data=data, config_drive=True)
        await cloud.settled(server, "ACTIVE")
        await cloud.ask("POST", "/compute/v2.1/servers", {"server": {"adminPass": ADMIN_PASS, "user_data": data}})
        reply = await cloud.http.get("/compute/v2.1/servers", headers={"x-auth-token": "gAAAA-Bad-Token-4711"})
        assert reply.status_code == 401 and "Bad-Token" not in reply.text
        status, credential = await cloud.ask("GET", "/identity/v3/users?name=demo", user="admin")
        path = f"/identity/v3/users/{credential['users'][0]['id']}/application_credentials"
        wish = {"application_credential": {"name": "known", "secret": "App-Secret-Known-4711"}}
        assert (await cloud.ask("POST", path, wish))[0] == 201
        _, shown = await cloud.ask("GET", path)
        assert "App-Secret-Known-4711" not in str(shown)
        _, seen = await cloud.ask("GET", f"/compute/v2.1/servers/{server}")
        assert ADMIN_PASS not in str(seen) and data not in str(seen)
        known = {"admin token": await cloud.token("admin"), "demo token": await cloud.token("demo")}
        known |= {name: secret(name) for name in ("admin_password", "demo_password", "metadata_secret")}
        known |= {"adminPass": ADMIN_PASS, "user data": USER_DATA, "user data, encoded": data, "password": PASSWORD}
        known |= {"credential": "App-Secret-Known-4711", "bad token": "gAAAA-Bad-Token-4711"}
        await cloud.ask("DELETE", f"/compute/v2.1/servers/{server}")
        await cloud.gone(server)
        return known


def test_secrets_are_in_no_log_and_tokens_in_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    known = asyncio.run(life(tmp_path))
    for name, value in known.items():
        assert value not in caplog.text, f"{name} was logged"
    assert caplog.records, "nothing was logged at all: the test sees nothing"
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.parent.name != "secrets":
            held = path.read_bytes()
            for name in ("admin token", "demo token", "admin_password", "password", "credential", "metadata_secret"):
                assert known[name].encode() not in held, f"{name} is in {path}"


def test_secret_files_are_the_owners_alone(tmp_path: Path) -> None:
    asyncio.run(life(tmp_path))
    for folder in ("secrets", "keys"):
        assert (tmp_path / folder).stat().st_mode & 0o077 == 0
        for path in (tmp_path / folder).iterdir():
            assert path.stat().st_mode & 0o077 == 0, path
