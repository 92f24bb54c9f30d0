"""What other services get from identity, and what a new cloud starts with."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable
from starlette.testclient import TestClient

from pileus.identity import internal
from pileus.identity.manifest import MANIFEST
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import Base
from tests.identity.people import Caller, auth_body


def test_look_ups(cloud: Cloud, demo: Caller) -> None:
    with cloud.db.reading() as db:
        assert internal.project_id(db, "demo") == demo.project_id
        assert internal.project_id(db, "demo", "elsewhere") is None
        assert internal.project_id(db, "Default") is None
        assert internal.project_exists(db, demo.project_id)
        assert not internal.project_exists(db, "nothing")
        assert internal.user_id(db, "demo") == demo.user_id


def test_the_service_token(cloud: Cloud, client: TestClient, demo: Caller) -> None:
    with cloud.db.reading() as db:
        token = internal.service_token(cloud, db, lifetime=60)
        context = cloud.part(TokenAuthenticator).authenticate(db, token)
    assert {"admin", "service"} <= set(context.roles)
    assert context.project_name == "service"
    assert context.expires_at is not None
    assert 50 < (context.expires_at - clock.now()).total_seconds() <= 60
    caller = Caller(client, token, {})
    assert caller.ask("GET", "/auth/tokens", headers={"x-subject-token": demo.token})["token"]["user"]["name"] == "demo"


@pytest.mark.parametrize("password", ["", "x", "pileus"])
def test_nobody_logs_in_as_the_services_user(client: TestClient, password: str) -> None:
    reply = client.post("/identity/v3/auth/tokens", json=auth_body("pileus", password or " ", project="service"))
    assert reply.status_code == 401


def test_no_seeds_no_service_token(cloud: Cloud, admin: Caller) -> None:
    found = admin.ask("GET", "/users?name=pileus")["users"][0]
    admin.ask("PATCH", f"/users/{found['id']}", {"user": {"enabled": False}})
    with cloud.db.reading() as db, pytest.raises(LookupError, match="seeds"):
        internal.service_token(cloud, db)


def counts(cloud: Cloud) -> dict[str, int]:
    with cloud.db.reading() as db:
        tables = Base.metadata.sorted_tables
        return {table.name: db.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def test_seeding_again_changes_nothing(cloud: Cloud, admin: Caller) -> None:
    changed = admin.ask("PATCH", f"/users/{admin.user_id}", {"user": {"description": "mine"}})["user"]
    before = counts(cloud)
    assert MANIFEST.seed is not None
    MANIFEST.seed(cloud)
    assert counts(cloud) == before
    assert admin.ask("GET", f"/users/{admin.user_id}")["user"] == changed


def test_what_is_seeded(admin: Caller) -> None:
    given = {
        (
            row["user"]["name"],
            row["role"]["name"],
            *(str(place.get("name", "system")) for place in _places(row["scope"])),
        )
        for row in admin.ask("GET", "/role_assignments?include_names")["role_assignments"]
    }
    assert given == {
        ("admin", "admin", "admin"),
        ("admin", "admin", "demo"),
        ("admin", "admin", "system"),
        ("admin", "admin", "Default"),
        ("demo", "member", "demo"),
        ("pileus", "admin", "service"),
        ("pileus", "service", "service"),
    }
    assert {role["name"] for role in admin.ask("GET", "/roles")["roles"]} == {
        "admin",
        "manager",
        "member",
        "reader",
        "service",
    }


def _places(scope: dict[str, dict[str, object]]) -> list[dict[str, object]]:
    return list(scope.values())


def test_every_table_has_lengths_that_mariadb_needs() -> None:
    for table in Base.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=mysql.dialect()))
