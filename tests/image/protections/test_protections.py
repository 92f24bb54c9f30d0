"""Property protections: the documented file, what it allows, and what it refuses to start with."""

import os
import time
from pathlib import Path

import pytest

from pileus.image.protections import protections as module
from pileus.image.protections.protections import Protections
from pileus.image.protections.rules import OPERATIONS, By
from pileus.kernel.config import ConfigError
from pileus.kernel.errors import Forbidden

BY_ROLES = """
# What billing writes, members see.
[^x_billing_.*]
create = admin, billing
read = admin,billing,member
update = admin, Billing
delete = admin

; a class of characters ends with a bracket too
[^x_open_[a-z]+$]
create = @
read = @
update = @
delete = !

[^x_hidden]
create = @
read = admin
update = @
delete = @

[^x_.*]
create: !
read: @
update: !
delete: !
"""


def never(name: str) -> bool:
    raise AssertionError(f"asked for the policy {name}")


def loaded(tmp_path: Path, text: str, by: By = "roles", policies: tuple[str, ...] | None = None) -> Protections:
    file = tmp_path / "protections.conf"
    file.write_text(text)
    return Protections.load(file, by, policies)


def may(protections: Protections, name: str, *roles: str) -> str:
    """The first letters of what is allowed."""
    return "".join(o[0] for o in OPERATIONS if protections.allowed(o, name, roles, never))


def test_without_a_file_all_is_open() -> None:
    open_ = Protections.load(None)
    assert may(open_, "anything") == "crud"
    assert open_.readable({"a": "1"}, (), never) == {"a": "1"}


@pytest.mark.parametrize(
    ("name", "roles", "allowed"),
    [
        ("x_billing_code", ("admin",), "crud"),
        ("x_billing_code", ("billing", "member"), "cru"),
        ("x_billing_code", ("BILLING",), "cru"),
        ("x_billing_code", ("member",), "r"),
        ("x_billing_code", ("reader",), ""),
        ("x_billing_code", (), ""),
        ("x_open_abc", (), "cru"),
        ("x_open_ABC", ("admin",), "r"),  # not of that class: the last section has it
        ("x_hidden", ("member",), "c"),  # who may not read may not update or delete
        ("x_hidden", ("admin",), "crud"),
        ("x_other", ("admin",), "r"),
        ("my_x_other", ("admin",), ""),  # bound to the name's beginning, so no section matches
        ("os_distro", ("admin",), ""),
    ],
)
def test_the_first_section_that_matches_decides(
    tmp_path: Path, name: str, roles: tuple[str, ...], allowed: str
) -> None:
    assert may(loaded(tmp_path, BY_ROLES), name, *roles) == allowed


def test_an_expression_is_found_anywhere_unless_bound(tmp_path: Path) -> None:
    protections = loaded(
        tmp_path, "[secret]\ncreate=a\nread=a\nupdate=a\ndelete=a\n[.*]\ncreate=@\nread=@\nupdate=@\ndelete=@"
    )
    assert may(protections, "my_secret_key", "b") == ""
    assert may(protections, "my_public_key", "b") == "crud"


def test_readable_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    protections = loaded(tmp_path, BY_ROLES)
    properties = {"x_billing_code": "7", "x_hidden": "h", "os_distro": "debian"}
    assert protections.readable(properties, ("member",), never) == {"x_billing_code": "7"}
    assert protections.readable(properties, ("admin",), never) == {"x_billing_code": "7", "x_hidden": "h"}


def test_enforce_says_what_is_not_allowed(tmp_path: Path) -> None:
    protections = loaded(tmp_path, BY_ROLES)
    protections.enforce("read", "x_billing_code", ("member",), never)
    with pytest.raises(Forbidden, match=r"'x_billing_code'.*update"):
        protections.enforce("update", "x_billing_code", ("member",), never)


def test_by_policies(tmp_path: Path) -> None:
    text = "[^x_]\ncreate = may_make\nread = @\nupdate = may_make\ndelete = !\n"
    protections = loaded(tmp_path, text, "policies", ("may_make", "other"))
    asked: list[str] = []

    def check(name: str) -> bool:
        asked.append(name)
        return len(asked) == 1

    assert protections.allowed("create", "x_a", (), check)
    assert not protections.allowed("create", "x_a", ("admin", "may_make"), check)
    assert protections.allowed("read", "x_a", (), never)
    assert not protections.allowed("delete", "x_a", ("admin",), never)
    assert asked == ["may_make", "may_make"]


FULL = "create=a\nread=a\nupdate=a\ndelete=a\n"


@pytest.mark.parametrize(
    ("text", "by", "named"),
    [
        ("", "roles", "no section"),
        ("create = a\n", "roles", "no section"),
        (f"[x_(]\n{FULL}", "roles", r"\[x_\(\] is not a regular expression"),
        (f"[{'x' * 513}]\n{FULL}", "roles", "longer than 512"),
        ("[x]\ncreate=a\nread=a\nupdate=a\n", "roles", "does not say who may delete"),
        ("[x]\ncreate=a\nraed=a\nupdate=a\ndelete=a\n", "roles", "has raed"),
        (f"[x]\n{FULL}[x]\n{FULL}", "roles", "already exists"),
        ("[x]\ncreate=\nread=a\nupdate=a\ndelete=a\n", "roles", "create is empty"),
        ("[x]\ncreate=@,!\nread=a\nupdate=a\ndelete=a\n", "roles", "both @ and !"),
        ("[x]\ncreate=a,b\nread=a\nupdate=a\ndelete=a\n", "policies", "2 policies"),
        ("[x]\ncreate=b\nread=a\nupdate=a\ndelete=a\n", "policies", "policy b"),
        ("[x]\nwhat is this\n", "roles", "parsing errors"),
    ],
)
def test_a_wrong_file_refuses_the_start(tmp_path: Path, text: str, by: By, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        loaded(tmp_path, text, by, ("a",))


def test_a_file_that_is_not_there_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.conf"):
        Protections.load(tmp_path / "none.conf")
    (tmp_path / "bytes.conf").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.conf"):
        Protections.load(tmp_path / "bytes.conf")


def test_an_edited_file_is_taken_up_and_a_wrong_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN", 0.0)
    file = tmp_path / "protections.conf"
    protections = loaded(tmp_path, f"[x]\n{FULL}")
    assert may(protections, "x", "a") == "crud" and may(protections, "y", "a") == ""

    def edit(text: str, seconds: int) -> None:
        file.write_text(text)
        os.utime(file, (time.time() + seconds,) * 2)

    edit(f"[y]\n{FULL}", 1)
    assert may(protections, "x", "a") == "" and may(protections, "y", "a") == "crud"
    edit("[y]\nread=", 2)
    assert may(protections, "y", "a") == "crud"
    file.unlink()
    assert may(protections, "y", "a") == "crud"
    edit(f"[x]\n{FULL}", 3)
    assert may(protections, "x", "a") == "crud" and may(protections, "y", "a") == ""


def test_a_careless_expression_costs_a_bounded_time(tmp_path: Path) -> None:
    protections = loaded(tmp_path, f"[^(a|aa)+$]\n{FULL}[.*]\ncreate=@\nread=@\nupdate=@\ndelete=@\n")
    assert may(protections, "b", "z") == "crud"
    start = time.monotonic()
    assert may(protections, "a" * 60 + "!", "z") == ""  # not what the next section says
    assert time.monotonic() - start < 2
    start = time.monotonic()
    for _ in range(1000):
        assert not protections.allowed("read", "a" * 60 + "!", ("a",), never)
    assert time.monotonic() - start < 2


def test_many_names_keep_a_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    protections = loaded(tmp_path, f"[^x]\n{FULL}")
    for i in range(100):
        assert may(protections, f"x{i}", "a") == "crud" and may(protections, f"y{i}", "a") == ""
    assert len(protections._reading._known) <= 10
