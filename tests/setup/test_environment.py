import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pileus.setup import environment
from pileus.setup.commands import CommandFailed
from pileus.setup.environment import Kind
from pileus.setup.errors import SetupError
from pileus.setup.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for kind in Kind:
        (tmp_path / kind.value).write_text(f"for-{kind.name}==1 --hash=sha256:00\n")
    return Places(tmp_path / "src", tmp_path / "library", tmp_path / "cache", None, False)


class Installer:
    """Stands for ``run``: makes what venv would make, or fails at the pip."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.pip_fails = False

    def __call__(self, command: Sequence[str], *_: object) -> None:
        self.commands.append(list(command))
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
        elif self.pip_fails:
            raise CommandFailed(command, 1, "No matching distribution found")


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    stand_in = Installer()
    monkeypatch.setattr(environment, "run", stand_in)
    monkeypatch.setattr(environment, "can_be_made", lambda: True)
    return stand_in


def test_each_lock_file_has_its_environment_and_a_changed_one_gets_another(places: Places) -> None:
    run, dev = (environment.path(places, kind) for kind in (Kind.RUN, Kind.DEV))
    assert run.name.startswith("venv-")
    assert dev.name.startswith("dev-venv-")
    (places.clone / Kind.RUN.value).write_text("other==2\n")
    assert environment.path(places, Kind.RUN) != run
    assert environment.path(places, Kind.DEV) == dev


def test_another_interpreter_gets_another_environment(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    first = environment.path(places, Kind.RUN)
    monkeypatch.setattr(sys, "version", "3.99.0")
    assert environment.path(places, Kind.RUN) != first


def test_it_is_built_once_with_hashes_and_nothing_but_the_lock(places: Places, installer: Installer) -> None:
    built = environment.ensure(places, Kind.RUN)
    assert environment.ensure(places, Kind.RUN) == built
    _, pip = installer.commands
    assert {"--require-hashes", "--no-deps", str(places.clone / "requirements.lock")} <= set(pip)


def test_what_a_killed_build_left_is_thrown_away(places: Places, installer: Installer) -> None:
    leftover = environment.path(places, Kind.RUN) / "lib/half-written.py"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    built = environment.ensure(places, Kind.RUN)
    assert environment.is_complete(built)
    assert not leftover.exists()


def test_a_failed_install_is_not_taken_for_a_whole_one(places: Places, installer: Installer) -> None:
    installer.pip_fails = True
    with pytest.raises(SetupError, match="No matching distribution"):
        environment.ensure(places, Kind.RUN)
    installer.pip_fails = False
    assert environment.is_complete(environment.ensure(places, Kind.RUN))


def test_without_ensurepip_it_says_which_package_is_missing(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "can_be_made", lambda: False)
    with pytest.raises(SetupError, match="ensurepip") as caught:
        environment.ensure(places, Kind.RUN)
    assert "python3-venv" in caught.value.remedy
