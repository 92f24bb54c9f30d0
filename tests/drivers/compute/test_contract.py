"""One suite for every hypervisor driver: what `pileus.compute.drivers.base.Driver` promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pileus.compute.drivers.base import GuestFailed, GuestSpec
from tests.drivers.compute.rig import Rig, a_server

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def running(rig: Rig, spec: GuestSpec) -> GuestSpec:
    rig.driver.ensure_disks(spec, None)
    rig.driver.ensure_running(spec)
    return spec


def state(rig: Rig, spec: GuestSpec) -> str:
    return rig.driver.guests()[spec.server_id].state


def test_the_host_has_something_to_offer(rig: Rig) -> None:
    facts = rig.driver.host_facts()
    assert facts.hypervisor_type
    assert facts.hypervisor_version > 0
    assert facts.vcpus > 0
    assert facts.memory_mb > 64
    assert facts.disk_gb > 0
    assert facts.cpu_info["arch"] == "x86_64"


def test_start_is_safe_to_repeat(rig: Rig) -> None:
    spec = running(rig, a_server())
    rig.driver.start()
    rig.driver.start()
    assert state(rig, spec) == "running"
    rig.driver.ensure_absent(spec.server_id)


def test_disks_come_before_the_guest(rig: Rig) -> None:
    spec = a_server()
    rig.driver.ensure_disks(spec, None)
    rig.driver.ensure_disks(spec, None)
    assert spec.server_id in rig.driver.disk_ids()
    assert spec.server_id not in rig.driver.guests()
    rig.driver.ensure_absent(spec.server_id)
    assert rig.left_of(spec.server_id) == []


def test_running_twice_is_one_guest(rig: Rig) -> None:
    spec = running(rig, a_server())
    processes = rig.processes(spec.server_id)
    running(rig, spec)
    assert rig.processes(spec.server_id) == processes
    assert list(rig.driver.guests()) == [spec.server_id]
    rig.driver.ensure_absent(spec.server_id)


def test_pause_and_unpause(rig: Rig) -> None:
    spec = running(rig, a_server())
    for _ in range(2):
        rig.driver.ensure_paused(spec.server_id)
        assert state(rig, spec) == "paused"
    for _ in range(2):
        rig.driver.ensure_unpaused(spec.server_id)
        assert state(rig, spec) == "running"
    rig.driver.ensure_paused(spec.server_id)
    rig.driver.ensure_running(spec)
    assert state(rig, spec) == "running"
    rig.driver.ensure_absent(spec.server_id)


def test_stop_keeps_the_disks_and_start_goes_on(rig: Rig) -> None:
    spec = running(rig, a_server())
    for _ in range(2):
        rig.driver.ensure_stopped(spec.server_id, grace=0)
        assert state(rig, spec) == "stopped"
        assert rig.processes(spec.server_id) == []
    assert spec.server_id in rig.driver.disk_ids()
    rig.driver.ensure_running(spec)
    assert state(rig, spec) == "running"
    rig.driver.ensure_absent(spec.server_id)


def test_a_paused_guest_is_stopped_without_waiting(rig: Rig) -> None:
    spec = running(rig, a_server())
    rig.driver.ensure_paused(spec.server_id)
    rig.driver.ensure_stopped(spec.server_id, grace=600)
    assert state(rig, spec) == "stopped"
    rig.driver.ensure_absent(spec.server_id)


def test_absent_leaves_nothing(rig: Rig) -> None:
    spec = running(rig, a_server(ephemeral_gb=1, swap_mb=8, config_drive={"openstack/latest/meta_data.json": b"{}"}))
    assert rig.left_of(spec.server_id) != []
    for _ in range(2):
        rig.driver.ensure_absent(spec.server_id)
        assert rig.left_of(spec.server_id) == []
    assert rig.driver.console_log(spec.server_id, None) == ""


def test_absent_from_each_state(rig: Rig) -> None:
    def paused(spec: GuestSpec) -> None:
        rig.driver.ensure_paused(running(rig, spec).server_id)

    def stopped(spec: GuestSpec) -> None:
        rig.driver.ensure_stopped(running(rig, spec).server_id, grace=0)

    for reach in (paused, stopped):
        spec = a_server()
        reach(spec)
        rig.driver.ensure_absent(spec.server_id)
        assert rig.left_of(spec.server_id) == []


def test_a_server_that_never_was(rig: Rig) -> None:
    rig.driver.ensure_stopped(UNKNOWN, grace=5)
    rig.driver.ensure_absent(UNKNOWN)
    assert rig.driver.console_log(UNKNOWN, 10) == ""
    for verb in (rig.driver.ensure_paused, rig.driver.ensure_unpaused, rig.driver.press_power_button):
        with pytest.raises(GuestFailed, match="not running"):
            verb(UNKNOWN)
    assert rig.left_of(UNKNOWN) == []


def test_a_guest_without_disks_does_not_start(rig: Rig) -> None:
    spec = a_server()
    with pytest.raises(GuestFailed, match="could not start") as failed:
        rig.driver.ensure_running(spec)
    assert not failed.value.permanent
    rig.driver.ensure_disks(spec, None)
    rig.driver.ensure_running(spec)
    assert state(rig, spec) == "running"
    rig.driver.ensure_absent(spec.server_id)


def test_guests_outlive_the_agent(rig: Rig) -> None:
    spec = running(rig, a_server())
    stopped = running(rig, a_server())
    rig.driver.ensure_stopped(stopped.server_id, grace=0)
    processes = rig.processes(spec.server_id)
    rig.restart_agent()
    assert state(rig, spec) == "running"
    assert state(rig, stopped) == "stopped"
    assert rig.processes(spec.server_id) == processes
    for server in (spec, stopped):
        rig.driver.ensure_absent(server.server_id)
        assert rig.left_of(server.server_id) == []


def test_every_step_survives_a_killed_daemon(rig: Rig) -> None:
    spec = a_server()
    rig.kill_daemon()
    rig.driver.ensure_disks(spec, None)
    rig.driver.ensure_running(spec)
    processes = rig.processes(spec.server_id)
    rig.kill_daemon()
    assert state(rig, spec) == "running"
    rig.kill_daemon()
    rig.driver.ensure_running(spec)
    assert rig.processes(spec.server_id) == processes
    rig.kill_daemon()
    rig.driver.ensure_paused(spec.server_id)
    rig.kill_daemon()
    rig.driver.ensure_unpaused(spec.server_id)
    assert state(rig, spec) == "running"
    rig.kill_daemon()
    rig.driver.ensure_stopped(spec.server_id, grace=0)
    assert state(rig, spec) == "stopped"
    rig.driver.ensure_running(spec)
    rig.kill_daemon()
    rig.driver.ensure_absent(spec.server_id)
    assert rig.left_of(spec.server_id) == []


def test_several_servers_at_once(rig: Rig) -> None:
    specs = [a_server(f"server-{index}") for index in range(3)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda spec: running(rig, spec), specs))
        assert {guest.state for guest in rig.driver.guests().values()} == {"running"}
        assert set(rig.driver.guests()) == {spec.server_id for spec in specs}
        list(threads.map(lambda spec: rig.driver.ensure_absent(spec.server_id), specs))
    assert [rig.left_of(spec.server_id) for spec in specs] == [[], [], []]
