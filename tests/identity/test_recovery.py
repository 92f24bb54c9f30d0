"""Seeds that may be sown again, and the administrator's way back in."""

import pytest
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from pileus.identity import recovery
from pileus.identity.assignments.models import Assignment
from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.models import FailedLogins, Password
from pileus.identity.projects.models import Project
from pileus.identity.tokens.payload import now_ms
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import Base
from tests.identity.people import Caller, auth_body, log_in


def contents(cloud: Cloud) -> dict[str, set[tuple[str, ...]]]:
    with cloud.db.reading() as db:
        return {
            table.name: {tuple(map(str, row)) for row in db.execute(select(table))}
            for table in Base.metadata.sorted_tables
        }


def test_sown_twice_is_sown_once(cloud: Cloud) -> None:
    before = contents(cloud)
    keys = {path: path.read_bytes() for path in (cloud.config.state / "keys").rglob("*") if path.is_file()}
    assert len(before["users"]) == 3
    assert MANIFEST.seed is not None
    MANIFEST.seed(cloud)
    assert contents(cloud) == before
    assert {path: path.read_bytes() for path in keys} == keys


@pytest.mark.parametrize(
    "loss", ["password", "no password", "disabled", "roles", "gone", "domain", "project", "factors", "lockout"]
)
def test_what_was_lost_comes_back(cloud: Cloud, client: TestClient, loss: str) -> None:
    with cloud.db.writing() as db:
        user = db.scalars(select(User).where(User.name == "admin")).one()
        match loss:
            case "password":
                db.get_one(Password, user.id).hash = "rubbish"
            case "no password":
                db.delete(db.get_one(Password, user.id))
            case "disabled":
                user.enabled = False
            case "roles":
                db.execute(delete(Assignment).where(Assignment.actor_id == user.id))
            case "gone":
                db.execute(delete(Assignment).where(Assignment.actor_id == user.id))
                db.delete(user)
            case "domain":
                db.get_one(Project, "default").enabled = False
            case "project":
                db.scalars(select(Project).where(Project.name == "admin")).one().enabled = False
            case "factors":
                user.options = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]}
            case "lockout":
                db.add(FailedLogins(user_id=user.id, count=99, last=now_ms()))
    recovery.restore_admin(cloud, "a new password 7")
    for scope in ({"project": "admin"}, {"domain": "default"}, {"system": True}):
        admin = log_in(client, "admin", "a new password 7", **scope)
        admin.ask("GET", "/users")
        assert {role["name"] for role in admin.body["roles"]} == {"admin", "manager", "member", "reader"}


def test_the_old_password_and_tokens_are_over_and_nobody_else_notices(
    cloud: Cloud, client: TestClient, admin: Caller, demo: Caller
) -> None:
    recovery.restore_admin(cloud, "a new password 7")
    admin.ask("GET", "/users", status=401)
    assert client.post("/identity/v3/auth/tokens", json=auth_body("admin", project="admin")).status_code == 401
    demo.ask("GET", "/auth/projects")
    log_in(client, "demo", project="demo")
