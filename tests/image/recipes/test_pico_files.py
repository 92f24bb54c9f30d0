"""The guest's own scripts and settings."""

import json
import subprocess
from pathlib import Path

import pytest

from pileus.image.recipes import pico

DATA = Path(pico.__file__).with_suffix("")
SCRIPTS = sorted(file for file in DATA.rglob("*") if file.is_file() and file.read_bytes().startswith(b"#!"))
DOCUMENT = {
    "uuid": "u-1",
    "meta": {"hostname": "mine", "list": [1, {"hostname": "not this"}], "empty": {}},
    "hostname": "web-1.novalocal",
    "hostname_of_other": "no",
    "public_keys": {"a b": 'ssh-rsa AAA "me" {x}@y\n', "two": "ssh-ed25519 BBB\n\necdsa CCC\r\n", "odd": "\u0065\\\t."},
    "devices": [],
    "launch_index": 0,
    "keys": [{"type": "ssh", "data": "ssh-rsa AAA"}],
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_parse(script: Path) -> None:
    assert subprocess.run(("sh", "-n", str(script)), capture_output=True, text=True, check=False).stderr == ""


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".uuid", ["u-1"]),
        (".hostname", ["web-1.novalocal"]),
        (".meta.hostname", ["mine"]),
        (".keys.0.data", ["ssh-rsa AAA"]),
        (".public_keys", ['ssh-rsa AAA "me" {x}@y', "ssh-ed25519 BBB", "ecdsa CCC", "e\\\t."]),
        (".absent", []),
    ],
)
def test_strings_are_found_in_a_document(tmp_path: Path, indent: int | None, path: str, found: list[str]) -> None:
    document = tmp_path / "meta_data.json"
    document.write_text(json.dumps(DOCUMENT, indent=indent))
    call = ("awk", "-f", str(DATA / "root/usr/share/pico/json.awk"), "-v", f"wanted={path}", str(document))
    assert subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines() == found


def test_only_the_console_user_has_a_password() -> None:
    entries = [line.split(":") for line in (DATA / "root/etc/shadow").read_text().splitlines()]
    assert [name for name, password, *_ in entries if password.startswith("$")] == ["cirros"]
    assert all(password == "*" for name, password, *_ in entries if name != "cirros")


def test_the_serial_console_comes_last_and_the_kernel_may_speak() -> None:
    (append,) = [line for line in (DATA / "boot/syslinux.cfg").read_text().splitlines() if "APPEND" in line]
    words = append.split()
    assert [word for word in words if word.startswith("console=")][-1] == "console=ttyS0"
    assert "quiet" not in words
