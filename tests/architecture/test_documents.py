"""Documents that speak of the code are held to it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"`(src/pileus/[\w/]+\.py):([\w.]+)`")
TREE_LINE = re.compile(r"^(?P<indent> *)(?P<name>[\w.-]+/?)(?: {2,}.*)?$")


def names_in(file: Path) -> set[str]:
    """Functions, classes, methods (`Class.method`) and assigned names of a module."""
    found: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found.add(node.name)
            found |= {
                f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("walk", sorted((ROOT / "docs" / "walks").glob("*.md")), ids=lambda p: p.name)
def test_a_walk_leads_through_code_that_exists(walk: Path) -> None:
    places = PLACE.findall(walk.read_text())
    assert len(places) >= 5
    missing = [
        f"{file}:{name}" for file, name in places if not (ROOT / file).exists() or name not in names_in(ROOT / file)
    ]
    assert missing == []


def architecture_tree() -> list[str]:
    """Paths that the tree in ARCHITECTURE.md names, relative to the repository."""
    block = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    stack: list[str] = []
    paths = []
    for line in block.splitlines():
        matched = TREE_LINE.match(line)
        if matched is None:
            continue
        depth = len(matched["indent"]) // 2
        stack = [*stack[:depth], matched["name"]]
        paths.append("".join(stack))
    return paths


def test_the_tree_matches_the_code() -> None:
    """Everything named exists; every folder of the package two levels down is named."""
    named = architecture_tree()
    assert [path for path in named if not (ROOT / path).exists()] == []
    package = ROOT / "src" / "pileus"
    folders = {
        f"{folder.relative_to(ROOT)}/"
        for pattern in ("*", "*/*")
        for folder in package.glob(pattern)
        if folder.is_dir() and folder.name != "__pycache__" and any(folder.rglob("*.py"))
    }
    assert sorted(folders - set(named)) == []
