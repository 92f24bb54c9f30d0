"""The import contracts themselves are tested: an import against the grain is caught."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("src/pileus/kernel/clock.py", "import pileus.identity.internal"),
        ("src/pileus/network/internal.py", "import pileus.compute.internal"),
        ("src/pileus/compute/internal.py", "import pileus.identity.users.models"),
    ],
)
def test_an_import_against_the_grain_is_caught(tmp_path: Path, file: str, line: str) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert lint(tmp_path).returncode == 0, lint(tmp_path).stdout
    target = tmp_path / file
    target.write_text(target.read_text() + f"\n{line}\n")
    assert lint(tmp_path).returncode != 0
