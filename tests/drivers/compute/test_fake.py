"""What the fake driver offers beyond the contract: tests of everything above it lean on these."""

import time
from pathlib import Path

import pytest

from pileus.compute.drivers.base import GuestFailed, NicSpec
from pileus.compute.drivers.fake import Driver, Settings
from tests.drivers.compute.rig import a_server


def test_a_server_can_be_told_to_fail() -> None:
    driver = Driver(Settings(failures={"broken": "The disk is on fire."}))
    with pytest.raises(GuestFailed, match="on fire"):
        driver.ensure_disks(a_server("a-broken-one"), None)
    driver.ensure_disks(a_server("a-sound-one"), None)


def test_it_can_be_slow() -> None:
    driver = Driver(Settings(latency=0.05))
    begin = time.monotonic()
    driver.ensure_disks(a_server(), None)
    assert time.monotonic() - begin >= 0.05


def test_guests_survive_in_the_folder_alone(tmp_path: Path) -> None:
    spec = a_server()
    for settings, kept in ((Settings(state_dir=str(tmp_path)), True), (Settings(), False)):
        before = Driver(settings)
        before.start()
        before.ensure_disks(spec, None)
        before.ensure_running(spec)
        after = Driver(settings)
        after.start()
        assert (spec.server_id in after.guests()) is kept


def test_the_console_tells_a_boot() -> None:
    driver = Driver(Settings())
    spec = a_server("web", nics=(NicSpec("port", "fa:16:3e:00:00:01", "tap1", 1450),))
    driver.ensure_disks(spec, None)
    driver.ensure_running(spec)
    text = driver.console_log(spec.server_id, None)
    assert "Linux version" in text
    assert "fa:16:3e:00:00:01" in text
    assert driver.console_log(spec.server_id, 1) == "web login: "
    assert driver.console_log(spec.server_id, 0) == ""


def test_a_power_button_is_pressed_or_ignored() -> None:
    for ignores, state in ((False, "stopped"), (True, "running")):
        driver = Driver(Settings(ignores_power_button=ignores))
        spec = a_server()
        driver.ensure_disks(spec, None)
        driver.ensure_running(spec)
        driver.press_power_button(spec.server_id)
        assert driver.guests()[spec.server_id].state == state
