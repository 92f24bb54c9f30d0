"""A cloud that is up: what the commands say of it, who owns what, and roles that are killed."""

import os
import pwd
import signal
import stat
from pathlib import Path

import pytest

from pileus.roles.state import SECRETS, Owner, prepare
from tests.cli.installation import ROLES, Installation, alive, wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start roles of another user")


def test_up_again_changes_nothing(cloud: Installation) -> None:
    before = {role: cloud.pid(role) for role in (*ROLES, "supervisor")}
    again = cloud.up()
    assert (again.returncode, "up already" in again.stdout) == (0, True)
    assert {role: cloud.pid(role) for role in (*ROLES, "supervisor")} == before


def test_status_names_roles_endpoints_hosts_and_what_is_degraded(cloud: Installation) -> None:
    told = cloud.run("status")
    assert told.returncode == 0, told.stdout
    for role in ROLES:
        assert f"  {role:14} pid {cloud.pid(role)}\n" in told.stdout
    for line in (f"http://{cloud.listen}/identity", f"http://{cloud.listen}/compute/v2.1", f"http://{cloud.metadata}"):
        assert line in told.stdout
    assert "up, fake, 1000 CPUs" in told.stdout
    assert "degraded: the fake hypervisor is in use" in told.stdout


def test_audit_finds_nothing(cloud: Installation) -> None:
    told = cloud.run("audit")
    assert (told.returncode, told.stdout) == (0, "0 findings.\n")


def test_logs_of_one_role_of_all_and_of_none(cloud: Installation) -> None:
    names = {path.stem for path in (cloud.state / "log").glob("*.log")}
    assert names >= {*ROLES, "prepare", "supervisor"}
    every = cloud.run("logs", "-n", "1000")
    assert every.returncode == 0
    assert cloud.run("logs", "agent", "-n", "1000").stdout in every.stdout
    none = cloud.run("logs", "no-such-role")
    assert (none.returncode, none.stdout) == (1, f"pileus: nothing in {cloud.state / 'log'}\n")
    for name in SECRETS:
        assert cloud.secret(name) not in every.stdout


def test_the_apis_answer_and_let_the_admin_in(cloud: Installation) -> None:
    status, images = cloud.get("/image/v2/images", {"x-auth-token": cloud.token()})
    assert status == 200 and "pico" in [image["name"] for image in images["images"]]


def test_secrets_are_private_and_other_in_each_installation(cloud: Installation, tmp_path: Path) -> None:
    prepare(tmp_path, Owner(os.geteuid(), os.getegid()), Owner(os.geteuid(), os.getegid()))
    found = [(where / "secrets" / name) for where in (cloud.state, tmp_path) for name in SECRETS]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    values = {path.read_text().strip() for path in found}
    assert len(values) == 2 * len(SECRETS)
    assert min(len(value) for value in values) >= 32
    for name in ("clouds.yaml", "openrc", "run/cloud.json"):  # passwords, and an address that may hold one
        assert stat.S_IMODE((cloud.state / name).stat().st_mode) == 0o600, name
    assert cloud.secret("demo_password") in (cloud.state / "clouds.yaml").read_text()


def test_private_folders(cloud: Installation) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in cloud.state.iterdir() if path.is_dir()}
    private = {"bus", "credential-keys", "db", "domain-keys", "keys", "secrets"}
    private |= {"images", "image-stores", "image-cache", "image-keys", "staging"}
    assert {name for name, mode in modes.items() if mode == 0o700} == private
    assert {mode for mode in modes.values() if mode != 0o700} == {0o711}
    assert stat.S_IMODE(cloud.state.stat().st_mode) == 0o711
    for path in cloud.state.rglob("*"):
        assert path.is_socket() or not path.stat().st_mode & stat.S_IWOTH, path


@as_root
def test_the_roles_of_fakes_have_no_privilege_and_can_not_write_where_root_does(cloud: Installation) -> None:
    roles = pwd.getpwnam("pileus")
    for role in ROLES:
        facts = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{cloud.pid(role)}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert facts["Uid"].split() == [str(roles.pw_uid)] * 4, role
        assert facts["Gid"].split() == [str(roles.pw_gid)] * 4, role
        assert facts["Groups"].split() == [], role
        assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0, role
    for folder in (cloud.state, cloud.state / "run", cloud.state / "log"):
        for path in (folder, *(entry for entry in folder.iterdir() if entry.is_file())):
            assert path.stat().st_uid == 0, path
            assert not path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH), path
    for name in ("db", "secrets", "keys", "credential-keys", "domain-keys", "images", "bus", "secrets/admin_password"):
        assert (cloud.state / name).stat().st_uid == roles.pw_uid, name


@as_root
@pytest.mark.parametrize("command", ["up", "status", "down", "audit"])
def test_another_user_is_told_whose_cloud_it_is(cloud: Installation, command: str) -> None:
    stranger = Installation.__new__(Installation)
    stranger.__dict__ = cloud.__dict__ | {"user": "nobody"}
    done = stranger.run(command)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"pileus: {cloud.state / 'run'}/")


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_comes_back_and_no_request_is_lost(cloud: Installation, role: str) -> None:
    killed, others = cloud.pid(role), {other: cloud.pid(other) for other in ROLES if other != role}
    os.kill(killed, signal.SIGKILL)
    status, _ = cloud.get("/identity/v3")  # waits in the supervisor's socket when nobody takes it
    assert status == 200
    assert wait_for(f"another {role}", lambda: cloud.pid(role) != killed and alive(cloud.pid(role)))
    assert not alive(killed)
    assert {other: cloud.pid(other) for other in others} == others
    assert wait_for("a healthy status", lambda: cloud.run("status").returncode == 0)


def test_config_prints_what_up_reads(cloud: Installation) -> None:
    told = cloud.run("config")
    assert (told.returncode, "[cloud]" in told.stdout, "# metadata_listen = " in told.stdout) == (0, True, True)
