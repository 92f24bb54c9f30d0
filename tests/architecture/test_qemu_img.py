"""One module starts qemu-img, with the formats of all files named and under limits; nothing else does."""

import ast
import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pileus.image.formats import limited, qemu_img

SOURCE = Path(qemu_img.__file__).parents[3]
OWN = Path(qemu_img.__file__)
TOOLS = re.compile(r"\bqemu-(?:img|nbd|io|storage-daemon)\b")
# Recipes of guest images run before anything is installed, and read only what they have just written.
RECIPES = SOURCE / "pileus/image/recipes"


def programs(source: str) -> list[int]:
    """Lines whose code, docstrings and comments apart, has a tool's name in a string."""
    tree = ast.parse(source)
    prose = {id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in prose
        and TOOLS.search(node.value)
    ]


def lines_by_file() -> dict[Path, list[int]]:
    return {path: lines for path in SOURCE.rglob("*.py") if (lines := programs(path.read_text()))}


def test_nothing_else_names_the_programs() -> None:
    others = {path: lines for path, lines in lines_by_file().items() if path != OWN}
    recipes = {path: others.pop(path) for path in list(others) if path.is_relative_to(RECIPES)}
    assert {str(path): lines for path, lines in others.items()} == {}, "call pileus.image.formats.qemu_img instead"
    for path, lines in recipes.items():
        text = path.read_text().splitlines()
        unnamed = [line for line in lines if not re.search(r'"-f", "raw", "-O", "qcow2"|"-f", "qcow2"', text[line - 1])]
        assert unnamed == [], f"{path} must name the formats"


@pytest.mark.parametrize(
    "line",
    ['run(["qemu-img", "info"])', 'run("/usr/bin/qemu-img info x")', 'x = f"qemu-img {y}"', 'sh("a; qemu-nbd -c x")'],
)
def test_the_search_finds_a_program(line: str) -> None:
    assert programs(line) == [1]


def test_the_search_leaves_prose_alone() -> None:
    assert programs('"""Runs qemu-img."""\ndef f():\n    """qemu-img"""\n    # qemu-img\n') == []


def calls_of(function: str, path: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function
    ]


def test_the_program_is_started_in_one_place_and_under_limits() -> None:
    assert [ast.unparse(call.args[0]) for call in calls_of("limited.run", OWN)] == ["['qemu-img', *arguments]"]
    (started,) = calls_of("subprocess.Popen", Path(limited.__file__))
    assert ast.unparse(started.args[0]) == "['setpriv', '--pdeathsig', 'KILL', 'prlimit', *bounds, '--', *command]"
    assert "subprocess" not in OWN.read_text()


PUBLIC: dict[str, Callable[[Path], object]] = {
    "info": lambda path: qemu_img.info(path, "raw"),
    "create": lambda path: qemu_img.create(path, "raw", 1),
    "create_overlay": lambda path: qemu_img.create_overlay(path, path, "raw", 1),
    "convert": lambda path: qemu_img.convert(path, "raw", path, "qcow2", compress=True),
    "resize": lambda path: qemu_img.resize(path, "raw", 1, shrink=True),
}


def test_every_public_function_is_looked_at() -> None:
    functions = {
        name
        for name, what in inspect.getmembers(qemu_img, inspect.isfunction)
        if not name.startswith("_") and what.__module__ == qemu_img.__name__
    }
    assert functions == PUBLIC.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_call_names_the_format_of_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    script = tmp_path / "bin" / "qemu-img"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/log; ulimit -v >> {tmp_path}/log; exit 1\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    disk = tmp_path / "disk"
    with pytest.raises(qemu_img.QemuImgFailed):
        PUBLIC[name](disk)
    *arguments, memory = (tmp_path / "log").read_text().splitlines()
    files = arguments.count(str(disk))
    formats = sum(arguments.count(option) for option in ("-f", "-F", "-O"))
    assert files == formats >= 1
    assert memory.isdecimal()
