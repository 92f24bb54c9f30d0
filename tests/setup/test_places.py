import os
from pathlib import Path

import pytest

from pileus.setup import places

CLONE = Path(__file__).resolve().parents[2]


def test_root_keeps_things_where_every_role_can_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    here = places.find()
    assert here.clone == CLONE
    assert here.privileged
    assert here.library == Path("/usr/local/lib/pileus")
    assert here.bytecode is None


def test_others_keep_things_at_home_and_compiled_files_too_if_the_clone_is_not_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    here = places.find()
    assert not here.privileged
    assert here.library == tmp_path / ".local/share/pileus"
    assert here.cache == tmp_path / "elsewhere/pileus"
    assert here.bytecode == tmp_path / "elsewhere/pileus/bytecode"
