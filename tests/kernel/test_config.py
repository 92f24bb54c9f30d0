"""One TOML file: unknown keys are refused, and every setting is described."""

import tomllib
from pathlib import Path

import pytest

from pileus import composition
from pileus.kernel import config
from pileus.kernel.config import ConfigError


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[cloud]\nlistn = 'x'\n", "listn"),
        ("[cluod]\n", "cluod"),
        ("[cloud]\napi_workers = 'two'\n", "api_workers"),
        ("[cloud]\napi_workers = 0\n", "api_workers"),
        ("[cloud", "table declaration"),
        ("[compute]\nram_allocation_ratio = -1.0\n", "ram_allocation_ratio"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "pileus.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=part):
        composition.load(tmp_path, file, {})


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        composition.load(tmp_path, tmp_path / "none.toml", {})


def test_every_setting_is_described_and_its_default_can_be_set(tmp_path: Path) -> None:
    blocks = config.describe(composition.shapes()).split("\n\n")
    named = [block for block in blocks if "\n[" not in f"\n{block}"]  # of what is there only under a name of its own
    assert {"# [image.stores.NAME]", "# [image.stores.NAME.s3]"} <= {
        line for block in named for line in block.splitlines()
    }
    text = "\n".join(block for block in blocks if block not in named)
    assert "[image.web]" in text
    assert [line for line in text.splitlines() if line == "#"] == []
    lines = text.splitlines()
    settings = [
        line.removeprefix("# ") if " = " in line else line for line in lines if line.startswith("[") or " = " in line
    ]
    tomllib.loads("\n".join(settings))
    file = tmp_path / "all.toml"
    file.write_text("\n".join(settings))
    composition.load(tmp_path, file, {})
