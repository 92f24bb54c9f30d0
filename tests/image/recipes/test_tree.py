"""A described tree comes out of both writers with its contents, modes and owners."""

import re
from pathlib import Path

import pytest

from pileus.image.recipes import disk
from pileus.image.recipes.tool import ToolError, run
from pileus.image.recipes.tree import Tree, cpio


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    source = tmp_path / "a source"
    source.write_bytes(b"hello")
    tree = Tree()
    tree.directory("usr/bin")
    tree.link("bin", "usr/bin")
    tree.file("bin/sudo", source, 0o4755)
    tree.file("home/cirros/note", source, 0o600, 1000)
    return tree


def test_files_below_a_linked_folder_land_in_its_target(tree: Tree) -> None:
    assert [path for path, _ in tree.walk()] == [
        *("bin", "home", "home/cirros", "home/cirros/note", "usr", "usr/bin", "usr/bin/sudo")
    ]
    assert "bin/sudo" in tree
    assert "bin/su" not in tree
    assert tree.size() == 10


def test_cpio_is_the_newc_format(tree: Tree) -> None:
    archive = cpio(tree)
    entries: dict[str, tuple[int, int, bytes]] = {}
    position = 0
    while position < len(archive):
        assert archive[position : position + 6] == b"070701"
        fields = [int(archive[start : start + 8], 16) for start in range(position + 6, position + 110, 8)]
        name = archive[position + 110 : position + 109 + fields[11]].decode()
        start = (position + 110 + fields[11] + 3) // 4 * 4
        entries[name] = (fields[1], fields[2], archive[start : start + fields[6]])
        position = (start + fields[6] + 3) // 4 * 4
    assert list(entries)[-1] == "TRAILER!!!"
    assert entries["usr/bin/sudo"] == (0o104755, 0, b"hello")
    assert entries["home/cirros/note"] == (0o100600, 1000, b"hello")
    assert entries["bin"] == (0o120777, 0, b"usr/bin")
    assert entries["usr/bin"] == (0o040755, 0, b"")


def test_ext4_holds_the_tree(tree: Tree, tmp_path: Path) -> None:
    image = tmp_path / "root.ext4"
    disk.ext4(image, tree, 16 * disk.MIB)

    def ask(question: str) -> str:
        return run("debugfs", "-R", question, str(image))

    assert ask("cat /usr/bin/sudo").startswith("hello")
    sudo, note = ask("stat /usr/bin/sudo"), ask("stat /home/cirros/note")
    assert re.search(r"Mode:\s+04755\b", sudo)
    assert re.search(r"Mode:\s+0600\b", note)
    assert re.search(r"User:\s+1000\s+Group:\s+1000\b", note)
    assert 'Fast link dest: "usr/bin"' in ask("stat /bin")


def test_ext4_is_the_same_every_time(tree: Tree, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ext4", tmp_path / "second.ext4"
    for image in (first, second):
        disk.ext4(image, tree, 16 * disk.MIB)
    assert first.read_bytes() == second.read_bytes()


def test_a_file_that_cannot_be_written_fails_the_build(tree: Tree, tmp_path: Path) -> None:
    tree.file("usr/bin/absent", tmp_path / "absent")
    with pytest.raises(ToolError, match="absent"):
        disk.ext4(tmp_path / "root.ext4", tree, 16 * disk.MIB)


def test_a_tree_that_does_not_fit_fails_the_build(tree: Tree, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * (16 << 12))
    tree.file("big", big)
    with pytest.raises(ToolError, match="debugfs"):
        disk.ext4(tmp_path / "root.ext4", tree, 12 * disk.MIB)
