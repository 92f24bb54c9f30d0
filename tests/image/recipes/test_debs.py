"""Packages are fetched once, whole or not at all."""

import json
from pathlib import Path

import pytest

from pileus.image.recipes import debs
from pileus.image.recipes.tool import ToolError

DEPENDS = "linux-meta\n  Depends: linux-image-6\n"


class Apt:
    """apt as the recipe calls it: knows the packages `offered`; with `stale` lists, only after an update."""

    def __init__(self, *offered: str, stale: bool = False) -> None:
        self.offered, self.stale = offered, stale
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *command: str, folder: Path | None = None) -> str:
        self.calls.append(command)
        if command[1] == "update":
            self.stale = False
        elif self.stale:
            raise ToolError("apt-get failed: 404")
        elif command[1] == "depends":
            return DEPENDS
        elif folder:
            for name in self.offered:
                if name in command:
                    (folder / f"{name}_1%3a2-3_amd64.deb").write_bytes(b"package")
        return ""


@pytest.fixture
def quiet() -> list[str]:
    return []


def test_a_second_fetch_asks_apt_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: list[str]) -> None:
    apt = Apt("busybox", "linux-image-6")
    monkeypatch.setattr(debs, "run", apt)
    wanted = ("linux-meta:linux-image-", "busybox")
    first = debs.fetch(wanted, tmp_path, quiet.append)
    assert [file.name for file in first] == ["linux-image-6_1%3a2-3_amd64.deb", "busybox_1%3a2-3_amd64.deb"]
    apt.calls.clear()
    assert debs.fetch(wanted, tmp_path, quiet.append) == first
    assert apt.calls == []
    assert len(quiet) == 1


def test_a_lost_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: list[str]) -> None:
    monkeypatch.setattr(debs, "run", Apt("a", "b"))
    lost, kept = debs.fetch(("a", "b"), tmp_path, quiet.append)
    lost.unlink()
    apt = Apt("a", "b")
    monkeypatch.setattr(debs, "run", apt)
    assert debs.fetch(("a", "b"), tmp_path, quiet.append) == [lost, kept]
    assert lost.exists()
    assert apt.calls[0][-1] == "a"


def test_stale_lists_are_updated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: list[str]) -> None:
    apt = Apt("a", stale=True)
    monkeypatch.setattr(debs, "run", apt)
    assert debs.fetch(("a",), tmp_path, quiet.append)[0].read_bytes() == b"package"
    assert [call[1] for call in apt.calls] == ["download", "update", "download"]


def test_an_unknown_package_leaves_the_cache_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: list[str]
) -> None:
    monkeypatch.setattr(debs, "run", Apt("a"))
    debs.fetch(("a",), tmp_path, quiet.append)
    with pytest.raises(ToolError, match="no nonesuch"):
        debs.fetch(("a", "nonesuch"), tmp_path, quiet.append)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a_1%3a2-3_amd64.deb", debs.MANIFEST]
    assert list(json.loads((tmp_path / debs.MANIFEST).read_text())) == ["a"]
