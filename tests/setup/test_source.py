import os
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from pileus.setup import source
from pileus.setup.places import Places


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    package = tmp_path / "clone/src/pileus"
    (package / "kernel").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "kernel/clock.py").write_text("NOW = 1\n")
    (package / "kernel/schema.json").write_text("{}")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    return tmp_path / "clone"


def places(clone: Path, privileged: bool = True) -> Places:
    return Places(clone / "src", clone.parent / "library", clone.parent / "cache", None, privileged)


def test_an_open_clone_is_used_where_it_is_and_compiled(clone: Path) -> None:
    assert source.ensure(places(clone)) == clone / "src"
    assert Path(cache_from_source(str(clone / "src/pileus/kernel/clock.py"))).exists()
    assert not (clone.parent / "library").exists()


@pytest.mark.parametrize(
    ("closed", "mode"), [(".", 0o700), ("src/pileus/kernel", 0o750), ("src/pileus/kernel/schema.json", 0o640)]
)
def test_a_clone_that_others_cannot_read_is_copied_readable(clone: Path, closed: str, mode: int) -> None:
    (clone / closed).chmod(mode)
    umask = os.umask(0o022)
    try:
        used = source.ensure(places(clone))
    finally:
        os.umask(umask)
    assert used.parent == clone.parent / "library"
    assert (used / "pileus/kernel/clock.py").read_text() == "NOW = 1\n"
    assert source.is_open_to_all(used / "pileus")


def test_the_owner_of_a_closed_clone_needs_no_copy(clone: Path) -> None:
    clone.chmod(0o700)
    assert source.ensure(places(clone, privileged=False)) == clone / "src"


def test_a_changed_file_gives_a_new_copy_and_an_unchanged_tree_the_same(clone: Path) -> None:
    clone.chmod(0o700)
    first = source.ensure(places(clone))
    assert source.ensure(places(clone)) == first
    (clone / "src/pileus/kernel/clock.py").write_text("NOW = 22\n")
    second = source.ensure(places(clone))
    assert second != first
    assert (second / "pileus/kernel/clock.py").read_text() == "NOW = 22\n"
    assert first.exists()


def test_only_the_latest_copies_are_kept(clone: Path) -> None:
    clone.chmod(0o700)
    for number in range(8):
        (clone / "src/pileus/kernel/clock.py").write_text(f"NOW = {10**number}\n")
        latest = source.ensure(places(clone))
    copies = sorted((clone.parent / "library").glob("code-*"))
    assert latest in copies
    assert len(copies) == 5


def test_a_stale_compiled_file_is_renewed_and_a_broken_module_stops_nothing(clone: Path) -> None:
    module = clone / "src/pileus/kernel/clock.py"
    (clone / "src/pileus/broken.py").write_text("def :\n")
    source.ensure(places(clone))
    compiled = Path(cache_from_source(str(module)))
    os.utime(compiled, ns=(0, 0))
    source.ensure(places(clone))
    assert compiled.stat().st_mtime_ns > 0
