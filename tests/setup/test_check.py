from pathlib import Path

import pytest

from pileus.setup import check
from pileus.setup.check import Check


def test_the_name_of_a_test_folder_stands_for_it_and_the_rest_reaches_pytest(tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    given = ["system", "tests/identity", "-k", "boot", "--no-checks", "--fake", "-x"]
    assert check.selection(given, tmp_path) == ["tests/system", "tests/identity", "-k", "boot", "-x"]


@pytest.mark.parametrize(("status", "word"), [(0, "ok in"), (3, "FAILED in")])
def test_a_check_prints_title_and_time_and_its_output_only_on_failure(
    status: int, word: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    passed = check.run_quietly(Check("contracts", ["sh", "-c", f"echo what it said; exit {status}"]), tmp_path, {})
    printed = capfd.readouterr().out
    assert passed == (status == 0)
    assert printed.startswith(f"contracts{' ' * 9}{word}")
    assert ("what it said" in printed) == (status != 0)
