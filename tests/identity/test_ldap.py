"""The LDAP driver: what is LDAP's own. What every driver promises is in tests/drivers/directory."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from pileus.identity.assignments.models import Assignment
from pileus.identity.directories import gate, mirror
from pileus.identity.directories.ldap import filters
from pileus.identity.directories.models import IdMapping
from pileus.identity.directories.refresh import refresh
from pileus.identity.directories.registry import Directories
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from tests.drivers.directory.certificates import authority, certificate
from tests.drivers.directory.rigs import PASSWORD, LdapRig, group_id, list_users, log_in, login_body, user_id
from tests.drivers.directory.slapd import PROGRAM, SUFFIX, Slapd, running
from tests.identity.people import Caller
from tests.identity.people import log_in as log_in_locally

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="slapd is not installed"),
    pytest.mark.filterwarnings("ignore:.*Map is deprecated:DeprecationWarning"),  # pyasn1, in ldap3
]


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running(tmp_path_factory.mktemp("slapd")) as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_stays_open(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.part(Directories).close()


@pytest.fixture
def rig(admin: Caller, slapd: Slapd) -> LdapRig:
    return LdapRig(admin, slapd)


def names(rig: LdapRig, query: str = "") -> list[str]:
    return [user["name"] for user in list_users(rig, query)]


def test_attributes_and_ids(rig: LdapRig, cloud: Cloud) -> None:
    rig.configure(user_additional_attribute_mapping="telephoneNumber:phone,mail:id")
    rig.person("kim", mail="kim@example.org", description="about kim", telephoneNumber="+1 2")
    found = list_users(rig)[0]
    assert found.items() >= {"email": "kim@example.org", "description": "about kim", "phone": "+1 2"}.items()
    assert found["id"] == mirror.public_id(rig.domain_id, "user", "id-kim")
    assert len(found["id"]) == 64
    with cloud.db.writing() as db:
        assert mirror.purge(db, domain_id=rig.domain_id, all_of_them=True) == 1
    assert list_users(rig)[0]["id"] == found["id"]
    assert mirror.public_id("a", "user", "bc") != mirror.public_id("auserb", "user", "c")


def test_names_may_change_and_be_swapped(rig: LdapRig) -> None:
    rig.person("kim")
    rig.person("lee")
    kim, lee = user_id(rig, "kim"), user_id(rig, "lee")
    rig.slapd.change(rig.dn("kim"), cn="lee")
    rig.slapd.change(rig.dn("lee"), cn="kim")
    assert {user["id"]: user["name"] for user in list_users(rig)} == {kim: "lee", lee: "kim"}
    assert log_in(rig, "lee").user_id == kim
    rig.slapd.change(rig.dn("kim"), cn="new")
    assert names(rig, "&name=lee") == []
    assert rig.admin.ask("GET", f"/users/{kim}")["user"]["name"] == "new"


def test_two_entries_of_one_name_prove_nobody(rig: LdapRig) -> None:
    rig.person("kim")
    rig.person("other")
    rig.slapd.change(rig.dn("other"), cn="kim")
    log_in(rig, "kim", status=401)
    assert names(rig) == ["kim"]


def test_local_names_are_not_taken_over(admin: Caller, slapd: Slapd, client: TestClient) -> None:
    rig = LdapRig(admin, slapd)
    rig.admin.ask("DELETE", f"/domains/{rig.domain_id}/config", status=204)
    local = {"name": "kim", "domain_id": rig.domain_id, "password": "local-secret-4"}
    made = admin.ask("POST", "/users", {"user": local}, status=201)["user"]["id"]
    rig.configure()
    rig.person("kim")
    log_in(rig, "kim", status=401)
    log_in(rig, "kim", "local-secret-4", status=401)
    assert admin.ask("GET", f"/users/{made}")["user"]["name"] == "kim"


def test_users_and_groups_are_only_read(rig: LdapRig) -> None:
    rig.person("kim")
    rig.team("staff", ["kim"])
    kim, staff, ask = user_id(rig, "kim"), group_id(rig, "staff"), rig.admin.ask
    refused = ask("POST", "/users", {"user": {"name": "x", "domain_id": rig.domain_id}}, status=403)
    assert "directory" in refused["error"]["message"]
    ask("POST", "/groups", {"group": {"name": "x", "domain_id": rig.domain_id}}, status=403)
    for change in ({"name": "x"}, {"enabled": False}, {"password": "another-secret-2"}, {"email": "x"}):
        ask("PATCH", f"/users/{kim}", {"user": change}, status=403)
    ask("DELETE", f"/users/{kim}", status=403)
    ask("PATCH", f"/groups/{staff}", {"group": {"name": "x"}}, status=403)
    ask("DELETE", f"/groups/{staff}", status=403)
    ask("DELETE", f"/groups/{staff}/users/{kim}", status=403)
    local = ask("POST", "/groups", {"group": {"name": "local"}}, status=201)["group"]["id"]
    ask("PUT", f"/groups/{local}/users/{kim}", status=403)
    ask("PUT", f"/groups/{staff}/users/{rig.admin.user_id}", status=403)
    changed = ask("PATCH", f"/users/{kim}", {"user": {"options": {"lock_password": True}, "default_project_id": "p"}})
    assert (changed["user"]["options"], changed["user"]["default_project_id"]) == ({"lock_password": True}, "p")
    again = ask("GET", f"/users/{kim}")["user"]
    assert (again["options"], again["default_project_id"]) == ({"lock_password": True}, "p")


@pytest.mark.parametrize(
    ("flag", "enabled"),
    [
        ("TRUE", True),
        ("FALSE", False),
        ("true", True),
        ("False", False),
        ("0", False),
        ("1", True),
        ("nonsense", False),
    ],
)
def test_words_for_enabled(rig: LdapRig, flag: str, enabled: bool) -> None:
    rig.configure(user_enabled_attribute="accountFlags")
    rig.person("kim", accountFlags=flag)
    assert list_users(rig)[0]["enabled"] is enabled
    log_in(rig, "kim", status=201 if enabled else 401)


@pytest.mark.parametrize(
    ("options", "flags", "enabled"),
    [
        ({"user_enabled_mask": 2, "user_enabled_default": "512"}, "512", True),
        ({"user_enabled_mask": 2, "user_enabled_default": "512"}, "514", False),
        ({"user_enabled_mask": 2, "user_enabled_default": 512}, None, True),
        ({"user_enabled_mask": 2, "user_enabled_default": "512"}, "many", False),
        ({"user_enabled_invert": True, "user_enabled_default": "False"}, "TRUE", False),
        ({"user_enabled_invert": True, "user_enabled_default": "False"}, "FALSE", True),
        ({"user_enabled_invert": True, "user_enabled_default": "False"}, None, True),
        ({}, None, True),
        ({"user_enabled_default": "False"}, None, False),
        ({"user_attribute_ignore": ["enabled"]}, "FALSE", True),
    ],
)
def test_enabled_by_mask_and_inverted(rig: LdapRig, options: Any, flags: str | None, enabled: bool) -> None:
    rig.configure(user_enabled_attribute="accountFlags", **options)
    rig.person("kim", accountFlags=flags)
    assert list_users(rig)[0]["enabled"] is enabled


def test_enabled_by_group(rig: LdapRig) -> None:
    rig.configure(user_enabled_emulation=True, user_enabled_emulation_dn=rig.team_dn("enabled"))
    rig.person("kim")
    rig.person("lee")
    rig.team("enabled", ["kim"])
    assert {user["name"]: user["enabled"] for user in list_users(rig)} == {"kim": True, "lee": False}
    log_in(rig, "kim")
    log_in(rig, "lee", status=401)


def test_members_by_id(admin: Caller, slapd: Slapd) -> None:
    rig = LdapRig(
        admin,
        slapd,
        group_objectclass="posixGroup",
        group_member_attribute="memberUid",
        group_members_are_ids=True,
    )
    rig.person("kim")
    rig.person("lee")
    members = {"gidNumber": "1", "memberUid": ["id-kim", "id-nobody"]}
    rig.slapd.add(rig.team_dn("staff"), ["posixGroup"], members)
    staff, kim = group_id(rig, "staff"), user_id(rig, "kim")
    assert [user["id"] for user in admin.ask("GET", f"/groups/{staff}/users")["users"]] == [kim]
    assert [group["id"] for group in admin.ask("GET", f"/users/{kim}/groups")["groups"]] == [staff]


def test_odd_dns_are_members(rig: LdapRig) -> None:
    rig.slapd.add(
        f"uid=x\\, \\23y,{rig.users}", ["inetOrgPerson"], {"cn": "odd", "sn": "odd", "userPassword": PASSWORD}
    )
    with rig.slapd.session() as connection:
        connection.search(rig.users, "(cn=odd)", attributes=["uid"])
        dn = connection.entries[0].entry_dn
    rig.slapd.add(rig.team_dn("staff"), ["groupOfNames"], {"member": [dn]})
    staff = group_id(rig, "staff")
    assert [user["name"] for user in rig.admin.ask("GET", f"/groups/{staff}/users")["users"]] == ["odd"]
    odd = log_in(rig, "odd")
    assert [group["id"] for group in odd.ask("GET", f"/users/{odd.user_id}/groups")["groups"]] == [staff]


def test_filters_trees_and_pages(rig: LdapRig) -> None:
    rig.configure(page_size=2, user_filter="description=in")
    for number in range(7):
        rig.person(f"p{number}", description="in")
    rig.person("out", description="not in")
    assert names(rig) == [f"p{number}" for number in range(7)]
    log_in(rig, "p3")
    log_in(rig, "out", status=401)
    rig.slapd.add(f"ou=deeper,{rig.users}", ["organizationalUnit"], {})
    deep = {"cn": "deep", "sn": "deep", "description": "in", "userPassword": PASSWORD}
    rig.slapd.add(f"uid=deep,ou=deeper,{rig.users}", ["inetOrgPerson"], deep)
    assert "deep" not in names(rig)
    rig.configure(query_scope="sub")
    assert "deep" in names(rig)
    rig.configure(user_filter="(&(broken")
    refused = rig.admin.ask("GET", f"/users?domain_id={rig.domain_id}", status=503)
    assert "not valid" in refused["error"]["message"]


@pytest.mark.parametrize(
    "name", ["*", "*)(uid=*", "kim)(|(uid=*", "kim\x00", "\\2a", "k*m", "kim)(userPassword=*", "(", "é" * 300, "\ud800"]
)
def test_names_are_never_part_of_a_filter(rig: LdapRig, name: str) -> None:
    rig.person("kim")
    if name.isprintable() and not any("\ud800" <= letter < "\ue000" for letter in name):
        assert (
            rig.admin.client.get(
                "/identity/v3/users",
                params={"domain_id": rig.domain_id, "name": name},
                headers={"x-auth-token": rig.admin.token},
            ).json()["users"]
            == []
        )
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    body = str(login_body(rig, "NAME")).replace("'", '"').replace("NAME", escaped)
    reply = rig.admin.client.post(
        "/identity/v3/auth/tokens", content=body, headers={"content-type": "application/json"}
    )
    assert reply.status_code in (400, 401), reply.text


def test_filters_are_escaped() -> None:
    assert filters.equals("cn", "a*(b)\\\x00é") == "(cn=a\\2a\\28b\\29\\5c\\00\\c3\\a9)"
    assert filters.text("objectGUID", bytes(range(16))) == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert filters.equals("objectGUID", "03020100-0504-0706-0809-0a0b0c0d0e0f").startswith("(objectGUID=\\00\\01\\02")


def test_an_empty_password_is_never_asked_of_the_server(rig: LdapRig) -> None:
    """This server, like many, would accept an unauthenticated bind of any DN."""
    rig.person("kim")
    with rig.slapd.session() as connection:
        assert connection.rebind(user=rig.dn("kim"), password=PASSWORD)
    log_in(rig, "kim", "", status=401)


def test_tokens_of_those_who_left(rig: LdapRig, cloud: Cloud) -> None:
    for name in ("gone", "off", "left", "stays"):
        rig.person(name)
    rig.team("staff", ["left", "stays"])
    project = rig.admin.ask("POST", "/projects", {"project": {"name": "p", "domain_id": rig.domain_id}}, status=201)
    (role,) = rig.admin.ask("GET", "/roles?name=member")["roles"]
    staff, where = group_id(rig, "staff"), project["project"]["id"]
    rig.admin.ask("PUT", f"/projects/{where}/groups/{staff}/roles/{role['id']}", status=204)
    scope = {"project": {"id": where}}
    gone, off = log_in(rig, "gone"), log_in(rig, "off")
    left, stays = log_in(rig, "left", scope=scope), log_in(rig, "stays", scope=scope)
    rig.remove("gone")
    rig.enable("off", False)
    rig.slapd.change(rig.team_dn("staff"), member=rig.dn("stays"))
    for caller in (gone, off, left, stays):
        caller.ask("GET", "/auth/projects")
    refresh(cloud)
    for caller in (gone, off, left):
        caller.ask("GET", "/auth/projects", status=401)
    stays.ask("GET", "/auth/projects")
    rig.enable("off", True)
    refresh(cloud)
    off.ask("GET", "/auth/projects", status=401)
    log_in(rig, "off")


def test_those_who_come_back_are_who_they_were(rig: LdapRig, cloud: Cloud) -> None:
    rig.person("kim")
    kim = user_id(rig, "kim")
    (role,) = rig.admin.ask("GET", "/roles?name=member")["roles"]
    rig.admin.ask("PUT", f"/domains/{rig.domain_id}/users/{kim}/roles/{role['id']}", status=204)
    rig.remove("kim")
    rig.admin.ask("GET", f"/users/{kim}", status=404)
    rig.person("kim")
    back = log_in(rig, "kim", scope={"domain": {"id": rig.domain_id}})
    assert back.user_id == kim
    rig.remove("kim")
    assert names(rig) == []
    with cloud.db.writing() as db:
        assert mirror.purge(db, domain_id="default") == 0
        assert mirror.purge(db, domain_id=rig.domain_id, entity="user") == 1
    with cloud.db.reading() as db:
        assert db.get(User, kim) is None
        assert db.scalars(select(Assignment).where(Assignment.actor_id == kim)).all() == []
        assert db.scalars(select(IdMapping)).all() == []


def test_a_domain_that_leaves_its_directory(rig: LdapRig) -> None:
    rig.person("kim")
    caller = log_in(rig, "kim")
    rig.admin.ask("PATCH", f"/domains/{rig.domain_id}/config/identity", {"config": {"identity": {"driver": "sql"}}})
    caller.ask("GET", "/auth/projects", status=401)
    log_in(rig, "kim", status=401)
    rig.configure()
    assert log_in(rig, "kim").user_id == caller.user_id


def test_a_tree_that_is_not_there_disables_nobody(rig: LdapRig) -> None:
    rig.person("kim")
    caller = log_in(rig, "kim")
    rig.configure(user_tree_dn=f"ou=Nowhere,{SUFFIX}")
    refused = rig.admin.ask("GET", f"/users?domain_id={rig.domain_id}", status=503)
    assert "Nowhere" in refused["error"]["message"]
    caller.ask("GET", "/auth/projects")


def test_a_server_that_restarts_is_used_again(admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "REST", 0.2)
    folder = tmp_path / "slapd"
    folder.mkdir()
    with running(folder) as server:
        rig = LdapRig(admin, server)
        rig.person("kim")
        caller = log_in(rig, "kim")
    began = time.monotonic()
    message = log_in(rig, "kim", status=503)
    assert rig.domain_id in message
    rig.admin.ask("GET", f"/users?domain_id={rig.domain_id}", status=503)
    assert time.monotonic() - began < 2
    caller.ask("GET", "/auth/projects")
    log_in_locally(admin.client, "demo", project="demo")
    admin.ask("GET", "/users")
    time.sleep(0.3)
    with running(folder, port=server.port):
        log_in(rig, "kim")
        assert names(rig) == ["kim"]


def test_a_server_that_never_answers_holds_nobody_up(
    admin: Caller, rig: LdapRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pileus.identity.directories.ldap.link.REPLY", 1)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        rig.configure(url=f"ldap://127.0.0.1:{silent.getsockname()[1]}")
        codes: list[int] = []

        def ask() -> None:
            reply = admin.client.post("/identity/v3/auth/tokens", json=login_body(rig, "kim"))
            codes.append(reply.status_code)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        log_in_locally(admin.client, "demo", project="demo")
        local = time.monotonic() - began
        for thread in threads:
            thread.join(20)
        assert codes == [503] * 6
        assert local < 3
        assert time.monotonic() - began < 6
        began = time.monotonic()
        log_in(rig, "kim", status=503)
        assert time.monotonic() - began < 0.5  # it is known to be silent
        admin.ask("GET", "/users")


def test_tls(admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "REST", 0)
    ca, other = authority(tmp_path, "ca"), authority(tmp_path, "other")
    cert, key = certificate(tmp_path, ca, "127.0.0.1")
    folder = tmp_path / "slapd"
    folder.mkdir()
    with running(folder, tls=(ca.file, cert, key)) as server:
        rig = LdapRig(admin, server)
        rig.person("kim")
        ldaps = f"ldaps://127.0.0.1:{server.tls_port}"
        for options in ({"url": ldaps}, {"use_tls": True}):
            rig.configure(**{"url": server.url, "use_tls": False, "tls_req_cert": "demand", **options})
            rig.configure(tls_cacertfile=str(ca.file))
            log_in(rig, "kim")
            rig.configure(tls_cacertfile=str(other.file))
            log_in(rig, "kim", status=503)
            rig.configure(tls_req_cert="never")
            log_in(rig, "kim")


def test_a_certificate_of_another_host(admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "REST", 0)
    ca = authority(tmp_path, "ca")
    cert, key = certificate(tmp_path, ca, "127.0.0.2")
    folder = tmp_path / "slapd"
    folder.mkdir()
    with running(folder, tls=(ca.file, cert, key)) as server:
        rig = LdapRig(admin, server, tls_cacertfile=str(ca.file))
        rig.person("kim")
        for options in ({"url": f"ldaps://127.0.0.1:{server.tls_port}"}, {"url": server.url, "use_tls": True}):
            rig.configure(**options)
            log_in(rig, "kim", status=503)


def test_a_server_that_gives_only_part(
    admin: Caller, tmp_path: Path, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """Those whom a list did not name are asked for one by one before anybody counts as gone."""
    with running(tmp_path, limit="3") as server:
        rig = LdapRig(admin, server)
        for number in range(5):
            rig.person(f"p{number}")
            log_in(rig, f"p{number}")
        assert names(rig) == [f"p{number}" for number in range(5)]
        assert "only part" in caplog.text
        refresh(cloud)
        assert "not refreshed" in caplog.text
        with cloud.db.reading() as db:
            mirrored = db.scalars(select(User.enabled).where(User.domain_id == rig.domain_id)).all()
        assert mirrored == [True] * 5


def test_the_drivers_own_login(rig: LdapRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "REST", 0)
    rig.person("kim")
    rig.person("reader", password="reader-secret-5")
    rig.configure(user=rig.dn("reader"), password="reader-secret-5")
    log_in(rig, "kim")
    rig.configure(password="wrong")
    message = log_in(rig, "kim", status=503)
    assert "wrong" not in message
