import os
from pathlib import Path

import pytest

from pileus.setup import packages
from pileus.setup.commands import CommandFailed
from pileus.setup.errors import SetupError
from pileus.setup.places import Places

LISTING = """\
qemu-utils installed
dnsmasq-base config-files
kmod half-configured
iptables installed
"""


def test_only_an_installed_and_configured_package_counts() -> None:
    names = ["dnsmasq-base", "genisoimage", "iptables", "kmod", "qemu-utils"]
    assert packages.absent_from(LISTING, names) == ["dnsmasq-base", "genisoimage", "kmod"]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    record = tmp_path / "status"
    record.touch()
    os.utime(record, ns=(0, 1_000_000_000))
    monkeypatch.setattr(packages, "_STATUS", record)
    return Places(tmp_path / "src", tmp_path / "library", tmp_path / "cache", None, True)


def test_dpkg_is_asked_again_only_after_its_records_changed(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def none_missing(names: list[str]) -> list[str]:
        asked.append(names)
        return []

    monkeypatch.setattr(packages, "missing", none_missing)
    packages.ensure(places, ["kmod", "conntrack", "kmod"])
    packages.ensure(places, ["conntrack", "kmod"])
    assert asked == [["conntrack", "kmod"]]
    (places.clone / "status").write_text("changed")
    os.utime(places.clone / "status")
    os.utime(next(places.library.glob("packages-*")), ns=(0, 2_000_000_000))
    packages.ensure(places, ["conntrack", "kmod"])
    assert len(asked) == 2
    packages.ensure(places, ["conntrack", "kmod", "procps"])
    assert asked[-1] == ["conntrack", "kmod", "procps"]


def test_stale_lists_are_renewed_once_and_a_second_failure_says_why(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def failing(command: list[str], *_: object) -> None:
        verb = next(word for word in command if word in {"install", "update", "--configure"})
        calls.append(verb)
        if verb == "install":
            raise CommandFailed(command, 100, "E: Unable to locate package nonesuch")

    def all_missing(names: list[str]) -> list[str]:
        return names

    monkeypatch.setattr(packages, "missing", all_missing)
    monkeypatch.setattr(packages, "run", failing)
    with pytest.raises(SetupError, match="Unable to locate package nonesuch") as caught:
        packages.ensure(places, ["nonesuch"])
    assert calls == ["install", "--configure", "update", "install"]
    assert "/etc/apt" in caught.value.remedy
    assert not list(places.library.glob("packages-*"))


def test_a_machine_that_is_not_debian_is_told_so(places: Places) -> None:
    (places.clone / "status").unlink()
    with pytest.raises(SetupError, match="Debian"):
        packages.ensure(places, ["kmod"])
