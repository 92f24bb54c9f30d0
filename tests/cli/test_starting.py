"""Starts that fail, with words; ends, wanted and not; a user without privileges."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.installation import REPOSITORY, Installation, wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start roles of another user")


def refused(installation: Installation, *words: str) -> None:
    done = installation.up()
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    last = done.stdout.splitlines()[-1]  # a slow machine says before that it is loading
    assert last.startswith("pileus: ")
    for word in words:
        assert word in last
    assert installation.processes() == []


@pytest.mark.parametrize("which", ["listen", "metadata"])
def test_a_port_that_is_taken(folder: Path, which: str) -> None:
    installation = Installation(folder)
    address = getattr(installation, which)
    with socket.socket() as other:
        host, _, port = address.rpartition(":")
        other.bind((host, int(port)))
        other.listen()
        refused(installation, f"cannot listen on {address}", "Address already in use")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("colour = 1\n", ("[cloud]", "colour")),
        ("api_workers = 0\n", ("[cloud]", "api_workers")),
        ("[moon]\nphase = 1\n", ("[moon]", "cloud")),
        ("this is no TOML\n", ("pileus.toml", "line 3")),
        ('user = "no-such-user"\n', ("no-such-user", "useradd")),
    ],
)
def test_settings_that_can_not_be_used(folder: Path, settings: str, words: tuple[str, ...]) -> None:
    if "user" in settings and os.geteuid() != 0:
        pytest.skip("only root changes users")
    refused(Installation(folder, settings=settings), *words)


@pytest.mark.parametrize("address", ["127.0.0.1:x", "127.0.0.1", "127.0.0.1:70000", "203.0.113.1:8780"])
def test_an_address_that_can_not_be_listened_on(folder: Path, address: str) -> None:
    installation = Installation(folder)
    installation.listen = address
    refused(installation, f"cannot listen on {address}")


def test_a_settings_file_that_is_not_there(folder: Path) -> None:
    installation = Installation(folder)
    installation.config.unlink()
    refused(installation, "pileus.toml", "No such file")


def test_a_state_folder_whose_name_is_too_long(folder: Path) -> None:
    installation = Installation(folder)
    installation.state = folder / ("x" * 90)
    refused(installation, "too long for the sockets")


@as_root
def test_a_state_folder_that_the_roles_can_not_reach(folder: Path) -> None:
    folder.chmod(0o700)
    refused(Installation(folder), f"chmod o+x {folder}", "pileus")


def test_a_state_folder_that_can_not_be_made(folder: Path) -> None:
    (folder / "state").write_text("a file")
    refused(Installation(folder), str(folder / "state"), "exists")


def test_a_driver_that_is_not_there(folder: Path) -> None:
    installation = Installation(folder, settings='hypervisor = "abacus"\nnetwork_mechanism = "fake"\n')
    command = [word for word in installation.command(*installation.up_arguments(), "--detach") if word != "--fake"]
    if os.geteuid() != 0:
        pytest.skip("without root the drivers are always the fakes")
    command[0:1] = [
        "env",
        f"PYTHONPATH={REPOSITORY / 'src'}",
        sys.executable,
        "-P",
        "-m",
        "pileus.main",
    ]  # the script would install for real drivers
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "pileus: [cloud] hypervisor = 'abacus': known are libvirt, fake"
    assert installation.processes() == []


@pytest.mark.parametrize("command", ["status", "audit", "logs", "down"])
def test_commands_where_nothing_ever_ran(folder: Path, command: str) -> None:
    done = Installation(folder).run(command)
    assert done.returncode == (0 if command == "down" else 1)
    assert "Traceback" not in done.stdout
    assert done.stdout.strip()
    assert not (folder / "state").exists()


def test_ends_and_the_starts_after_them(fresh: Installation) -> None:
    output = fresh.home / "output"
    process = fresh.foreground(output)
    wait_for("the APIs", lambda: "Pileus answers" in output.read_text(), 30)
    secret = fresh.secret("admin_password")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(10) == 0
    assert fresh.processes() == []
    assert "Traceback" not in output.read_text()
    assert "pileus is down" in output.read_text()
    assert list((fresh.state / "run").glob("*.pid")) == []
    assert fresh.run("status").returncode == 1

    assert fresh.up().returncode == 0
    assert fresh.secret("admin_password") == secret
    assert fresh.get("/identity/v3")[0] == 200
    os.kill(fresh.pid("supervisor"), signal.SIGKILL)
    wait_for("the end of the roles of a killed supervisor", lambda: fresh.processes() == [], 10)
    down = fresh.run("down")
    assert (down.returncode, down.stdout) == (0, "pileus is not up.\n")
    assert fresh.up().returncode == 0
    assert fresh.run("status").returncode == 0


@pytest.mark.parametrize("later", [0.0, 0.3, 0.8])
def test_ctrl_c_while_it_starts(fresh: Installation, later: float) -> None:
    output = fresh.home / "output"
    process = fresh.foreground(output)
    wait_for("the start", (fresh.state / "run" / "supervisor.lock").exists)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(later)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(12)
    wait_for("the end of all", lambda: fresh.processes() == [], 5)
    assert "Traceback" not in output.read_text()


def test_a_user_without_privileges(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests are run by such a user")
    readable = ["runuser", "-u", "nobody", "--", "test", "-r", str(REPOSITORY / "src" / "pileus" / "main.py")]
    if subprocess.run(readable, check=False).returncode != 0:
        pytest.skip("nobody can not read this clone")
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    installation = Installation(folder, user="nobody")
    done = installation.run(*(word for word in installation.up_arguments() if word != "--fake"), "--detach")
    try:
        assert done.returncode == 0, done.stdout
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in installation.processes()} == {nobody.pw_uid}
        assert {path.stat().st_uid for path in installation.state.rglob("*")} == {nobody.pw_uid}
        assert installation.token()
        assert installation.run("status").returncode == 0
    finally:
        installation.run("down")
    assert installation.processes() == []


def test_the_printed_settings_are_good_settings(folder: Path) -> None:
    """Every commented line of `pileus config`, without its sign, is the default that it says it is."""
    told = Installation(folder).run("config").stdout
    lines = [line.removeprefix("# ") if " = " in line else line for line in told.splitlines()]
    settings = tomllib.loads("\n".join(lines))
    assert settings["cloud"]["listen"] == "127.0.0.1:8780"
    assert settings["compute"]["quota_instances"] == 10
