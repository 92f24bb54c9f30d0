"""What only a real hypervisor can get wrong: real disks, taps, crashes."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pileus.compute.drivers import libvirt
from pileus.compute.drivers.base import GuestFailed, GuestSpec, ImageRef, NicSpec
from pileus.image.formats import qemu_img
from tests.drivers.compute.conftest import NO_LIBVIRT
from tests.drivers.compute.rig import READY, LibvirtRig, a_server, boot_sector

pytestmark = [pytest.mark.system, pytest.mark.skipif(bool(NO_LIBVIRT), reason=NO_LIBVIRT)]
GIB = 1024**3


@pytest.fixture
def base(libvirt_rig: LibvirtRig) -> Path:
    path = libvirt_rig.folder / "base.qcow2"
    if not path.exists():
        qemu_img.create(path, "qcow2", 48 * 1024**2)
        path.chmod(0o444)
    return path


def an_image(**properties: str) -> ImageRef:
    return ImageRef("0f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "qcow2", 1, "0" * 128, properties)


def live_xml(rig: LibvirtRig, server_id: str) -> ElementTree.Element:
    (found,) = (rig.folder / "libvirtd" / "run" / "qemu").glob(f"*{server_id}.xml")
    domain = ElementTree.parse(found).getroot().find("domain")
    assert domain is not None
    return domain


def test_the_root_disk_grows_from_its_base(libvirt_rig: LibvirtRig, base: Path) -> None:
    spec = a_server(root_gb=2, image=an_image())
    before = base.read_bytes()
    libvirt_rig.driver.ensure_disks(spec, base)
    root = libvirt_rig.folder / "guests" / spec.server_id / "root.qcow2"
    facts = qemu_img.info(root, "qcow2")
    assert (facts.virtual_size, facts.backing_filename, facts.backing_format) == (2 * GIB, str(base), "qcow2")
    assert root.stat().st_uid != 0
    libvirt_rig.driver.ensure_running(spec)
    written = root.stat()
    libvirt_rig.driver.ensure_disks(spec, base)
    assert root.stat().st_ino == written.st_ino
    assert base.stat().st_uid == 0
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert base.read_bytes() == before


def test_a_flavor_without_a_size_takes_the_image_s(libvirt_rig: LibvirtRig, base: Path) -> None:
    spec = a_server(root_gb=0, image=an_image())
    libvirt_rig.driver.ensure_disks(spec, base)
    root = libvirt_rig.folder / "guests" / spec.server_id / "root.qcow2"
    assert qemu_img.info(root, "qcow2").virtual_size == 48 * 1024**2
    libvirt_rig.driver.ensure_absent(spec.server_id)


def test_an_image_larger_than_the_flavor_is_refused(libvirt_rig: LibvirtRig) -> None:
    large = libvirt_rig.folder / "large.qcow2"
    qemu_img.create(large, "qcow2", 3 * GIB)
    spec = a_server(root_gb=2, image=an_image())
    with pytest.raises(GuestFailed, match="2 GiB is smaller than the image's 3 GiB") as failed:
        libvirt_rig.driver.ensure_disks(spec, large)
    assert failed.value.permanent
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert libvirt_rig.left_of(spec.server_id) == []


def test_a_disk_that_a_crash_left_half_made_is_made_anew(libvirt_rig: LibvirtRig, base: Path) -> None:
    spec = a_server(image=an_image())
    folder = libvirt_rig.folder / "guests" / spec.server_id
    folder.mkdir()
    (folder / ".root.qcow2.new").write_bytes(b"half")
    libvirt_rig.driver.ensure_disks(spec, base)
    assert [path.name for path in folder.iterdir()] == ["root.qcow2"]
    libvirt_rig.driver.ensure_running(spec)
    libvirt_rig.driver.ensure_absent(spec.server_id)


def test_a_guest_has_its_card_on_its_tap(libvirt_rig: LibvirtRig) -> None:
    subprocess.run(["ip", "tuntap", "add", "dev", "tapone", "mode", "tap"], check=True)
    subprocess.run(["ip", "link", "set", "tapone", "mtu", "1450", "up"], check=True)
    nic = NicSpec("port", "fa:16:3e:00:00:01", "tapone", 1450)
    spec = a_server(nics=(nic,))
    libvirt_rig.driver.ensure_disks(spec, None)
    libvirt_rig.driver.ensure_running(spec)
    link = subprocess.run(["ip", "link", "show", "tapone"], check=True, capture_output=True, text=True).stdout
    assert "LOWER_UP" in link  # qemu holds the tap
    assert "mtu 1450" in link
    xml = live_xml(libvirt_rig, spec.server_id)
    assert [mac.get("address") for mac in xml.findall("devices/interface/mac")] == [nic.mac]
    libvirt_rig.driver.ensure_stopped(spec.server_id, grace=0)
    libvirt_rig.driver.ensure_running(spec)
    libvirt_rig.driver.ensure_absent(spec.server_id)
    still = subprocess.run(["ip", "link", "show", "tapone"], check=False, capture_output=True, text=True).stdout
    assert "tapone" in still  # the tap is the network agent's to remove
    subprocess.run(["ip", "link", "del", "tapone"], check=True)


def test_a_tap_that_is_missing_is_a_failure_that_may_pass(libvirt_rig: LibvirtRig) -> None:
    spec = a_server(nics=(NicSpec("port", "fa:16:3e:00:00:02", "tapnone", 1500),))
    libvirt_rig.driver.ensure_disks(spec, None)
    with pytest.raises(GuestFailed, match="could not start") as failed:
        libvirt_rig.driver.ensure_running(spec)
    assert not failed.value.permanent
    assert "dev doesn't exist" in failed.value.detail
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert libvirt_rig.left_of(spec.server_id) == []


def test_a_killed_guest_is_crashed_until_it_is_started_or_stopped(libvirt_rig: LibvirtRig) -> None:
    spec = a_server()
    libvirt_rig.driver.ensure_disks(spec, None)

    def start() -> None:
        libvirt_rig.driver.ensure_running(spec)

    def stop() -> None:
        libvirt_rig.driver.ensure_stopped(spec.server_id, grace=0)

    for settle, after in ((start, "running"), (stop, "stopped")):
        libvirt_rig.driver.ensure_running(spec)
        (pid,) = libvirt_rig.processes(spec.server_id)
        os.kill(pid, signal.SIGKILL)
        libvirt_rig.wait_for(spec.server_id, "crashed")
        settle()
        assert libvirt_rig.driver.guests()[spec.server_id].state == after
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert libvirt_rig.left_of(spec.server_id) == []


def test_a_guest_that_died_with_the_daemon_is_started_again(libvirt_rig: LibvirtRig) -> None:
    spec = a_server()
    libvirt_rig.driver.ensure_disks(spec, None)
    libvirt_rig.driver.ensure_running(spec)
    (pid,) = libvirt_rig.processes(spec.server_id)
    libvirt_rig.kill_daemon()
    os.kill(pid, signal.SIGKILL)
    libvirt_rig.wait_for(spec.server_id, "crashed")
    libvirt_rig.driver.ensure_running(spec)
    assert libvirt_rig.driver.guests()[spec.server_id].state == "running"
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert libvirt_rig.left_of(spec.server_id) == []


def test_the_machine_is_as_the_image_asks(libvirt_rig: LibvirtRig, base: Path) -> None:
    asked = an_image(hw_disk_bus="scsi", hw_cdrom_bus="sata", hw_machine_type="q35", hw_video_model="cirrus")
    spec = a_server("<&\x01>", image=asked, ephemeral_gb=1, swap_mb=8, config_drive={"ec2/latest/user-data": b"hi"})
    libvirt_rig.driver.ensure_disks(spec, base)
    libvirt_rig.driver.ensure_running(spec)
    xml = live_xml(libvirt_rig, spec.server_id)
    targets = [target.get("dev") for target in xml.findall("devices/disk/target")]
    assert targets == ["sda", "sdb", "sdc", "sdd"]
    assert [disk.get("device") for disk in xml.findall("devices/disk")] == ["disk", "disk", "disk", "cdrom"]
    libvirt_rig.driver.ensure_absent(spec.server_id)


def test_stop_waits_no_longer_than_its_grace_for_a_guest_without_a_system(libvirt_rig: LibvirtRig) -> None:
    spec = a_server()
    libvirt_rig.driver.ensure_disks(spec, None)
    libvirt_rig.driver.ensure_running(spec)
    begin = time.monotonic()
    libvirt_rig.driver.ensure_stopped(spec.server_id, grace=1.0)
    taken = time.monotonic() - begin
    assert 0.9 < taken < 6
    assert libvirt_rig.driver.guests()[spec.server_id].state == "stopped"
    libvirt_rig.driver.ensure_absent(spec.server_id)


@pytest.fixture
def ready_guest(libvirt_rig: LibvirtRig) -> Iterator[GuestSpec]:
    """A guest that has said it is ready, and reacts to its power button."""
    base = libvirt_rig.folder / "boot.raw"
    base.write_bytes(boot_sector().ljust(1024**2, b"\0"))
    image = ImageRef("1f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "raw", 1024**2, "0" * 128)
    spec = a_server(image=image)
    libvirt_rig.driver.ensure_disks(spec, base)
    libvirt_rig.driver.ensure_running(spec)
    end = time.monotonic() + 20
    while READY not in libvirt_rig.driver.console_log(spec.server_id, None):
        assert time.monotonic() < end, "the guest did not boot"
        time.sleep(0.05)
    yield spec
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert libvirt_rig.left_of(spec.server_id) == []


def test_the_power_button_is_enough_for_a_guest_that_listens(libvirt_rig: LibvirtRig, ready_guest: GuestSpec) -> None:
    begin = time.monotonic()
    libvirt_rig.driver.ensure_stopped(ready_guest.server_id, grace=60)
    assert time.monotonic() - begin < 20
    assert libvirt_rig.driver.guests()[ready_guest.server_id].state == "stopped"
    log = libvirt_rig.folder / "libvirtd" / "log" / "qemu" / f"instance-{ready_guest.server_id}.log"
    assert "reason=shutdown" in log.read_text()


def test_pressing_the_button_does_not_wait(libvirt_rig: LibvirtRig, ready_guest: GuestSpec) -> None:
    libvirt_rig.driver.press_power_button(ready_guest.server_id)
    libvirt_rig.wait_for(ready_guest.server_id, "stopped")
    libvirt_rig.driver.ensure_running(ready_guest)
    libvirt_rig.wait_for(ready_guest.server_id, "running")


def test_the_console_s_last_lines(libvirt_rig: LibvirtRig, ready_guest: GuestSpec) -> None:
    assert libvirt_rig.driver.console_log(ready_guest.server_id, 1) == READY
    assert libvirt_rig.driver.console_log(ready_guest.server_id, 0) == ""


def test_a_crash_between_define_and_start(libvirt_rig: LibvirtRig) -> None:
    """The agent, or libvirtd, died after the guest was defined: it is known, stopped, and starts as if nothing was."""
    spec = a_server()
    libvirt_rig.driver.ensure_disks(spec, None)
    libvirt_rig.driver.ensure_running(spec)
    libvirt_rig.driver.ensure_stopped(spec.server_id, grace=0)
    libvirt_rig.kill_daemon()
    libvirt_rig.restart_agent()
    assert libvirt_rig.driver.guests()[spec.server_id].state == "stopped"
    libvirt_rig.driver.ensure_running(spec)
    assert len(libvirt_rig.processes(spec.server_id)) == 1
    libvirt_rig.driver.ensure_absent(spec.server_id)
    assert libvirt_rig.left_of(spec.server_id) == []


@pytest.mark.parametrize("agent", ["running", "restarted"])
def test_a_daemon_that_hangs_is_replaced(libvirt_rig: LibvirtRig, agent: str) -> None:
    spec = a_server()
    libvirt_rig.driver.ensure_disks(spec, None)
    libvirt_rig.driver.ensure_running(spec)
    processes = libvirt_rig.processes(spec.server_id)
    hanging = int((libvirt_rig.folder / "libvirtd" / "run" / "libvirtd.pid").read_text())
    os.kill(hanging, signal.SIGSTOP)
    if agent == "restarted":
        libvirt_rig.restart_agent()
    assert libvirt_rig.driver.guests()[spec.server_id].state == "running"
    assert int((libvirt_rig.folder / "libvirtd" / "run" / "libvirtd.pid").read_text()) != hanging
    assert libvirt_rig.processes(spec.server_id) == processes
    libvirt_rig.driver.ensure_absent(spec.server_id)


def test_a_daemon_of_others_serves_too(libvirt_rig: LibvirtRig) -> None:
    socket = libvirt_rig.folder / "libvirtd" / "run" / "libvirt-sock"
    uri = f"qemu:///system?socket={socket}"
    other = libvirt.Driver(libvirt.Settings(state_dir=str(libvirt_rig.folder), uri=uri))
    other.start()
    spec = a_server()
    other.ensure_disks(spec, None)
    other.ensure_running(spec)
    assert libvirt_rig.driver.guests()[spec.server_id].state == "running"
    other.ensure_absent(spec.server_id)
    assert libvirt_rig.driver.guests() == {}
    libvirt_rig.driver.ensure_absent(spec.server_id)


def test_nobody_listens(tmp_path: Path) -> None:
    uri = f"qemu:///system?socket={tmp_path}/nothing"
    driver = libvirt.Driver(libvirt.Settings(state_dir=str(tmp_path), uri=uri, call_timeout=1))
    with pytest.raises(GuestFailed, match="cannot be reached") as failed:
        driver.start()
    assert "nothing" in failed.value.detail
