import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pileus.setup import environment, guest_image, launch, libvirt_binding, packages, source, users
from pileus.setup.environment import Kind
from pileus.setup.errors import SetupError
from pileus.setup.needs import Needs
from pileus.setup.places import Places


class Became(Exception):
    """The process would now be this program."""

    def __init__(self, program: Path, arguments: Sequence[str], surroundings: dict[str, str]) -> None:
        self.program = program
        self.arguments = list(arguments)
        self.surroundings = surroundings


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was put in place, in order; nothing is really done."""
    done: list[str] = []

    def built(_: Places, kind: Kind) -> Path:
        done.append(kind.name)
        return tmp_path / kind.name

    def imported_from(places: Places) -> Path:
        done.append("source")
        return places.source

    def installed(_: Places, names: Sequence[str]) -> None:
        done.append("packages" if len(names) > 1 else names[0])

    def become(program: Path, arguments: Sequence[str], surroundings: dict[str, str]) -> None:
        raise Became(program, arguments, surroundings)

    monkeypatch.setattr(packages, "ensure", installed)
    monkeypatch.setattr(guest_image, "packages", lambda: ())
    monkeypatch.setattr(users, "ensure", lambda: done.append("users"))
    monkeypatch.setattr(environment, "ensure", built)
    monkeypatch.setattr(environment, "can_be_made", lambda: True)
    monkeypatch.setattr(libvirt_binding, "ensure", lambda made: done.append(f"libvirt in {made.name}"))
    monkeypatch.setattr(guest_image, "ensure", lambda _: done.append("image"))
    monkeypatch.setattr(source, "ensure", imported_from)
    monkeypatch.setattr(os, "execve", become)
    return done


def places(tmp_path: Path, privileged: bool = True) -> Places:
    return Places(tmp_path / "src", tmp_path / "library", tmp_path / "cache", None, privileged)


def test_each_thing_comes_after_what_it_needs(order: list[str], tmp_path: Path) -> None:
    launch.ensure(places(tmp_path), Needs(host=True, image=True, dev=True))
    assert order == ["packages", "users", "RUN", "libvirt in RUN", "DEV", "libvirt in DEV", "image", "source"]


def test_without_privileges_there_is_an_environment_and_no_more(order: list[str], tmp_path: Path) -> None:
    launch.ensure(places(tmp_path, privileged=False), Needs())
    assert order == ["RUN", "source"]


def test_root_gets_debians_venv_even_for_a_cloud_of_fakes(
    order: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "can_be_made", lambda: False)
    launch.ensure(places(tmp_path), Needs())
    assert order == ["python3-venv", "users", "RUN", "source"]


def test_the_umask_of_the_caller_does_not_reach_what_is_made_and_comes_back(
    order: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def umask_now() -> None:
        mask = os.umask(0o077)
        os.umask(mask)
        order.append(f"{mask:o}")

    monkeypatch.setattr(users, "ensure", umask_now)
    callers = os.umask(0o077)
    try:
        launch.ensure(places(tmp_path), Needs(host=True))
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(callers)
    assert "22" in order


def test_the_command_gets_its_arguments_and_imports_only_from_its_environment(
    order: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pileus.setup.places.find", lambda: places(tmp_path, privileged=False))
    monkeypatch.setattr(environment, "is_complete", lambda _: True)
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    monkeypatch.setenv("PYTHONHOME", "/somewhere/else")
    with pytest.raises(Became) as caught:
        launch.main(["status", "--json"])
    assert caught.value.program == tmp_path / "RUN/bin/python"
    assert caught.value.arguments[1:] == ["-P", "-m", "pileus.main", "status", "--json"]
    assert caught.value.surroundings["PYTHONPATH"] == str(tmp_path / "src")
    assert "PYTHONHOME" not in caught.value.surroundings


def test_tests_run_in_their_own_environment(order: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pileus.setup.places.find", lambda: places(tmp_path, privileged=False))
    with pytest.raises(Became) as caught:
        launch.main(["test", "-x"])
    assert caught.value.program == tmp_path / "DEV/bin/python"
    assert caught.value.arguments[1:] == ["-m", "pileus.setup.check", "-x"]


@pytest.mark.parametrize(("options", "status"), [(["--help"], 0), (["--everything"], 2)])
def test_setup_tells_its_options_and_does_nothing(
    options: list[str], status: int, order: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch.main(["setup", *options]) == status
    printed = capsys.readouterr()
    assert "--fake" in (printed.err if status else printed.out)
    assert order == []


def test_a_failure_is_said_with_its_remedy_and_without_a_traceback(
    order: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: object) -> Path:
        raise SetupError("The disk is full", "Make room.")

    monkeypatch.setattr(environment, "ensure", failing)
    assert launch.main(["setup", "--fake"]) == 1
    assert capsys.readouterr().err == "pileus: The disk is full\n  Make room.\n"


@pytest.mark.parametrize("complete", [True, False])
def test_asking_for_help_installs_nothing(
    complete: bool, order: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.lock").write_text("some==1\n")
    monkeypatch.setattr("pileus.setup.places.find", lambda: places(tmp_path))
    monkeypatch.setattr(environment, "is_complete", lambda _: complete)
    with pytest.raises(Became) as caught:
        launch.main(["--help"])
    assert caught.value.program == (tmp_path / "RUN/bin/python" if complete else Path(sys.executable))
    assert caught.value.arguments[-3:] == ["-m", "pileus.main", "--help"]
    assert "packages" not in order
    assert complete or order == []
