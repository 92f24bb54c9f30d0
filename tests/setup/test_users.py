import pytest

from pileus.setup import users
from pileus.setup.commands import CommandFailed
from pileus.setup.errors import SetupError


class Machine:
    """The users of a machine, and the commands that were to change them."""

    def __init__(self, *names: str, groups: tuple[str, ...] = ()) -> None:
        self.names = set(names)
        self.groups = set(groups)
        self.commands: list[list[str]] = []
        self.refuses = False

    def run(self, command: list[str], *_: object) -> None:
        self.commands.append(command)
        if self.refuses:
            raise CommandFailed(command, 1, "useradd: cannot lock /etc/passwd")
        self.names.add(command[-1])


def on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "run", machine.run)
    monkeypatch.setattr(users, "_exists", lambda name: name in machine.names)
    monkeypatch.setattr(users, "_has_group", lambda name: name in machine.groups)


def test_both_users_are_made_once_without_a_shell_and_only_guests_reach_kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(groups=("kvm",))
    on(machine, monkeypatch)
    users.ensure()
    users.ensure()
    roles, guests = machine.commands
    assert (roles[-1], guests[-1]) == ("pileus", "libvirt-qemu")
    assert "/usr/sbin/nologin" in roles
    assert "/usr/sbin/nologin" in guests
    assert "kvm" in guests
    assert "kvm" not in roles


def test_a_user_that_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine("libvirt-qemu")
    on(machine, monkeypatch)
    users.ensure()
    assert [command[-1] for command in machine.commands] == ["pileus"]


def test_a_refusal_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    machine.refuses = True
    on(machine, monkeypatch)
    with pytest.raises(SetupError, match="cannot lock"):
        users.ensure()
