"""One guest made what it should be: reboots of every kind of guest, failures, journals of agents that died, a host that booted."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pileus.compute.agent import guests as subject
from pileus.compute.agent.guests import Guests
from pileus.compute.agent.journal import Entry, Journal
from pileus.compute.agent.loop import Agent
from pileus.compute.drivers.base import GuestFacts, GuestFailed, GuestSpec, ImageRef
from pileus.compute.drivers.fake import Driver, Settings
from pileus.compute.hosts.wire import GuestReport, GuestWanted
from pileus.kernel.bus.memory import MemoryBus
from pileus.network.agent.snapshot import HostNetwork
from pileus.network.drivers import load as load_mechanism

ID = "5f0ce7d3-1111-4000-8000-000000000000"


class Recording(Driver):
    """The fake hypervisor, and which of its changes were asked for."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[str] = []

    def ensure_running(self, spec: GuestSpec) -> None:
        self.asked.append("run")
        super().ensure_running(spec)

    def ensure_stopped(self, server_id: str, grace: float) -> None:
        self.asked.append(f"stop {grace:g}")
        super().ensure_stopped(server_id, grace)

    def press_power_button(self, server_id: str) -> None:
        self.asked.append("button")
        super().press_power_button(server_id)

    def boots(self) -> int:
        return self.console_log(ID, None).count("Linux version")


class Host:
    """A hypervisor that outlives the agents, which each read the journal anew."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.boot = "boot-1"
        self.driver = Recording(Settings(**settings))
        self.fails: Exception | None = None
        self.new_agent()

    def new_agent(self) -> None:
        self.guests = Guests(self.driver, Journal(self.folder / "agent"), self._image, self.boot)

    def _image(self, ref: ImageRef) -> Path:
        if self.fails is not None:
            raise self.fails
        return self.folder / "image"

    def host_boots(self) -> None:
        """Every guest is off, and forgotten by the hypervisor's processes; disks and the journal stay."""
        self.boot = "boot-2"
        self.driver.ensure_stopped(ID, 0)
        self.driver.asked.clear()
        self.new_agent()

    def state(self) -> str:
        return self.driver.guests()[ID].state

    def converge(self, generation: int = 1, power: str = "active", **more: Any) -> GuestReport:
        self.driver.asked.clear()
        return self.guests.converge(wanted(generation, power, **more))

    def entry(self) -> Entry:
        found = self.guests.journal.get(ID)
        assert found is not None
        return found


def wanted(generation: int = 1, power: str = "active", **more: Any) -> GuestWanted:
    image = ImageRef("image", "raw", 1, "")
    spec = GuestSpec(server_id=ID, name="one", project_id="p", vcpus=1, memory_mb=64, root_gb=1, image=image)
    rest = {"hard_reboots": 0, "soft_reboots": 0, "stop_grace": 0.0, "reboot_grace": 0.2} | more
    return GuestWanted(spec=spec, generation=generation, power=power, **rest)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "POLL", 0.01)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_generation_that_is_true_is_not_made_again(host: Host) -> None:
    assert host.converge() == GuestReport(ID, "running", 1)
    assert host.driver.asked == ["run"]
    assert not host.guests.due(wanted())
    assert host.converge() == GuestReport(ID, "running", 1)
    assert host.driver.asked == []
    host.new_agent()
    assert not host.guests.due(wanted())


def test_a_guest_that_shut_itself_down_is_reported_and_left_alone(host: Host) -> None:
    host.converge()
    host.driver.press_power_button(ID)
    assert host.converge() == GuestReport(ID, "stopped", 1)
    assert host.driver.asked == []


def test_a_soft_reboot_of_a_guest_that_listens(host: Host) -> None:
    host.converge()
    started = time.monotonic()
    assert host.converge(2, soft_reboots=1, reboot_grace=30) == GuestReport(ID, "running", 2)
    assert time.monotonic() - started < 5
    assert host.driver.asked == ["button", "run"]
    assert host.driver.boots() == 2
    host.new_agent()
    assert host.converge(2, soft_reboots=1).fault is None
    assert host.driver.boots() == 2


def test_a_soft_reboot_of_a_deaf_guest_waits_its_grace_then_resets(tmp_path: Path) -> None:
    host = Host(tmp_path, ignores_power_button=True)
    host.converge()
    started = time.monotonic()
    assert host.converge(2, soft_reboots=1, reboot_grace=0.15) == GuestReport(ID, "running", 2)
    assert 0.15 <= time.monotonic() - started < 5
    assert host.driver.asked == ["button", "stop 0", "run"]
    assert host.driver.boots() == 2


def test_a_soft_reboot_of_a_guest_that_is_off_only_starts_it(host: Host) -> None:
    """As after an agent that died between the guest's end and its start."""
    host.converge()
    host.driver.ensure_stopped(ID, 0)
    assert host.converge(2, soft_reboots=1, reboot_grace=30) == GuestReport(ID, "running", 2)
    assert host.driver.asked == ["run"]
    assert host.driver.boots() == 2


def test_a_guest_that_ends_just_before_its_button_is_pressed_is_started_by_the_next_try(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.converge()
    seen = host.driver.guests

    def then_ends() -> Mapping[str, GuestFacts]:
        facts = seen()
        host.driver.ensure_stopped(ID, 0)
        return facts

    with monkeypatch.context() as race:
        race.setattr(host.driver, "guests", then_ends)
        report = host.converge(2, soft_reboots=1)
    assert report.fault is None or not report.fault["permanent"]
    assert host.converge(2, soft_reboots=1) == GuestReport(ID, "running", 2)
    assert host.driver.boots() == 2


def test_a_hard_reboot_wins_over_a_soft_one_and_each_happens_once(host: Host) -> None:
    host.converge()
    assert host.converge(3, soft_reboots=1, hard_reboots=1) == GuestReport(ID, "running", 3)
    assert host.driver.asked == ["stop 0", "run"]
    assert host.driver.boots() == 2
    host.converge(4, soft_reboots=1, hard_reboots=1)
    assert host.driver.asked == ["run"]
    assert host.driver.boots() == 2


def test_a_paused_guest_runs_after_a_hard_reboot_and_a_new_one_is_paused(host: Host) -> None:
    assert host.converge(1, "paused").state == "paused"
    assert host.converge(2, "active", hard_reboots=1).state == "running"
    assert host.driver.boots() == 2


def test_deleted_leaves_nothing_however_often(host: Host) -> None:
    host.converge()
    for _ in range(2):
        assert host.converge(2, "deleted") == GuestReport(ID, "absent", 2)
    assert (host.driver.disk_ids(), host.guests.journal.known()) == (set(), set())
    assert list((host.folder / "agent").iterdir()) == []


def test_attempts_are_counted_for_each_generation_and_through_restarts(host: Host) -> None:
    host.fails = GuestFailed("No.", "detail")

    def tried(generation: int) -> tuple[int, int]:
        report = host.converge(generation)
        assert report.fault is not None
        assert (report.generation, report.state, report.fault["message"]) == (0, "stopped", "No.")
        return report.fault["generation"], report.fault["attempts"]

    assert [tried(1), tried(1)] == [(1, 1), (1, 2)]
    host.new_agent()
    assert [tried(1), tried(2), tried(2)] == [(1, 3), (2, 1), (2, 2)]
    host.fails = None
    assert host.converge(2) == GuestReport(ID, "running", 2)
    assert (host.entry().attempts, host.entry().generation) == (0, 2)
    host.fails = ValueError("some path")
    report = host.converge(3)
    assert report.fault is not None
    assert (report.generation, report.state) == (2, "running")  # what was true is still
    assert (report.fault["attempts"], report.fault["permanent"]) == (1, False)
    assert "path" not in report.fault["message"]


def test_a_failed_try_does_not_count_a_reboot_as_done(host: Host) -> None:
    host.converge()
    host.fails = GuestFailed("No.")
    host.converge(2, hard_reboots=1)
    assert host.driver.boots() == 1
    host.fails = None
    host.converge(2, hard_reboots=1)
    assert host.driver.boots() == 2


def test_a_failed_delete_keeps_no_journal_of_its_own(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(server_id: str) -> None:
        raise GuestFailed("Busy.")

    with monkeypatch.context() as broken:
        broken.setattr(host.driver, "ensure_absent", fails)
        assert host.converge(1, "deleted").fault is not None
    assert host.guests.journal.known() == set()
    assert host.converge(1, "deleted") == GuestReport(ID, "absent", 1)


@pytest.mark.parametrize("left", [b"", b'{"generation": 1', b'{"generation": "x"}', b"\xff\x00", b"[]"])
def test_half_a_journal_is_as_good_as_none(host: Host, left: bytes) -> None:
    host.converge()
    path = host.folder / "agent" / f"{ID}.json"
    path.write_bytes(left)
    (host.folder / "agent" / f"{ID}.new").write_bytes(left)
    host.new_agent()
    assert host.guests.journal.get(ID) is None
    assert host.guests.due(wanted())
    assert host.converge() == GuestReport(ID, "running", 1)
    assert host.driver.boots() == 1  # it ran all the time
    assert msgspec.json.decode(path.read_bytes(), type=Entry).generation == 1
    assert [entry.name for entry in (host.folder / "agent").iterdir()] == [path.name]


def test_a_journal_of_a_newer_or_older_version_is_read(host: Host) -> None:
    (host.folder / "agent" / f"{ID}.json").write_bytes(b'{"generation": 4, "boot": "boot-1", "of_tomorrow": 1}')
    host.new_agent()
    assert host.entry() == Entry(4, boot="boot-1")


def agent_of(host: Host) -> Agent:
    network = HostNetwork(
        host="host1",
        state=str(host.folder),
        tunnel_ip="127.0.0.1",
        vxlan_port=4789,
        physical_networks={},
        metadata_url="",
        metadata_secret="",
    )
    mechanism = load_mechanism("fake", network)
    return Agent(MemoryBus(), host.driver, mechanism, network, host.guests, mechanism="fake")


@pytest.mark.parametrize(("power", "state"), [("active", "running"), ("paused", "paused")])
def test_after_the_host_booted_guests_come_back_before_anything_is_said_of_them(
    host: Host, power: str, state: str
) -> None:
    host.converge(1, power)
    assert agent_of(host)._facts() == (GuestReport(ID, state, 1),)
    host.host_boots()
    assert agent_of(host)._facts() == ()  # `stopped` would be taken for the owner's wish
    assert host.guests.due(wanted(1, power))
    assert host.converge(1, power) == GuestReport(ID, state, 1)
    assert agent_of(host)._facts() == (GuestReport(ID, state, 1),)
    assert not host.guests.due(wanted(1, power))


def test_after_the_host_booted_a_stopped_guest_stays_off(host: Host) -> None:
    host.converge(1)
    host.converge(2, "stopped")
    host.host_boots()
    assert host.converge(2, "stopped") == GuestReport(ID, "stopped", 2)
    assert host.driver.boots() == 1


def test_after_the_host_booted_old_reboots_are_not_done_again(host: Host) -> None:
    host.converge(2, hard_reboots=1, soft_reboots=1)
    host.host_boots()
    host.converge(2, hard_reboots=1, soft_reboots=1)
    assert host.driver.asked == ["run"]


def test_a_guest_that_fails_to_come_back_after_the_host_booted_is_told_as_failed(host: Host) -> None:
    host.converge()
    host.host_boots()
    host.fails = GuestFailed("No.")
    report = host.converge()
    assert report.fault is not None
    assert host.guests.due(wanted())
    assert agent_of(host)._facts() == ()
    host.fails = None
    assert host.converge() == GuestReport(ID, "running", 1)


def test_the_driver_is_told_the_format_of_the_copy(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    made = host.driver.ensure_disks

    def ensure_disks(spec: GuestSpec, base: Path | None) -> None:
        assert spec.image is not None and base is not None
        told.append(spec.image.disk_format)
        made(spec, base)

    monkeypatch.setattr(host.driver, "ensure_disks", ensure_disks)
    for number, (given, expected) in enumerate(
        [("raw", "raw"), ("qcow2", "qcow2"), ("vmdk", "qcow2"), ("vhd", "qcow2")], 1
    ):
        wish = wanted(number)
        image = ImageRef("image", given, 1, "")
        host.guests.converge(msgspec.structs.replace(wish, spec=msgspec.structs.replace(wish.spec, image=image)))
        assert told.pop() == expected
    image = ImageRef("image", "ploop", 1, "")
    report = host.guests.converge(
        msgspec.structs.replace(wanted(9), spec=msgspec.structs.replace(wish.spec, image=image))
    )
    assert report.fault is not None and report.fault["permanent"] and "ploop" in report.fault["message"]
