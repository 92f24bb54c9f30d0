import pytest

from pileus.setup.needs import Needs, command_of, of

EVERYTHING = Needs(host=True, image=True)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("up --detach", "up"),
        ("--state /srv/cloud up", "up"),
        ("status", "status"),
        ("logs up", "logs"),
        ("--help", None),
        ("", None),
    ],
)
def test_command_is_the_first_word_or_the_first_known_one(line: str, command: str | None) -> None:
    assert command_of(line.split()) == command


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("up", EVERYTHING),
        ("setup", EVERYTHING),
        ("setup --dev", EVERYTHING._replace(dev=True)),
        ("test tests/setup", EVERYTHING._replace(dev=True)),
        ("image build", Needs(host=True)),
        ("image --state dir add file", Needs()),
        ("status", Needs()),
        ("down", Needs()),
        ("", Needs()),
    ],
)
def test_root_gets_what_the_command_uses(line: str, wanted: Needs) -> None:
    assert of(line.split(), privileged=True) == wanted


@pytest.mark.parametrize(
    ("line", "privileged"), [("up --fake", True), ("up", False), ("test", False), ("test --fake", True)]
)
def test_nothing_of_the_machine_is_touched_for_a_cloud_of_fakes(line: str, privileged: bool) -> None:
    wanted = of(line.split(), privileged)
    assert not wanted.host
    assert not wanted.image
    assert wanted.dev == line.startswith("test")
