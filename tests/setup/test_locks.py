"""The lock files as they are committed."""

import re
import tomllib
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
NAMES = ("requirements.lock", "requirements-dev.lock")


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (CLONE / name).read_text(), re.MULTILINE))


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared() -> tuple[set[str], set[str]]:
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    return {normal(one) for one in project["dependencies"]}, {
        normal(one) for one in project["optional-dependencies"]["dev"]
    }


def test_all_that_pyproject_declares_is_pinned() -> None:
    run, dev = declared()
    assert run <= pins(NAMES[0]).keys()
    assert run | dev <= pins(NAMES[1]).keys()


def test_the_tests_environment_holds_the_versions_that_users_run() -> None:
    assert pins(NAMES[0]).items() <= pins(NAMES[1]).items()


@pytest.mark.parametrize("name", NAMES)
def test_each_pin_has_a_hash_and_no_line_names_a_registry(name: str) -> None:
    text = (CLONE / name).read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) > 20
    for block in blocks:
        assert re.match(r"[a-z0-9.-]+==[^\s;]+( ; [^\\]+)? \\\n", block), block.splitlines()[0]
        assert "--hash=sha256:" in block
