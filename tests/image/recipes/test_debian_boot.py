"""The Debian guest, built and booted for real: under TCG, on a network of its own. It takes minutes: PILEUS_SLOW_TESTS=1."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from pileus.image.recipes import debian
from tests.image.recipes.guest import GATEWAY, Guest, Network, make_key, write_documents

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="the packages' scripts, namespaces and taps need root"),
    pytest.mark.skipif("PILEUS_SLOW_TESTS" not in os.environ, reason="takes minutes: PILEUS_SLOW_TESTS=1 runs it"),
]

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pileus/packages"
OPENSTACK = ("-cpu", "Nehalem", "-smbios", "type=1,product=OpenStack Compute")  # as our hosts start guests without KVM
BOOT_SECONDS = 600  # a minute on a machine that has nothing else to do


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return debian.build(tmp_path_factory.mktemp("debian") / "debian.qcow2", cache=CACHE)


def test_the_build_leaves_nothing_but_the_image(image: Path) -> None:
    assert [file.name for file in image.parent.iterdir()] == [image.name]
    assert str(image.parent) not in Path("/proc/self/mounts").read_text()
    assert image.stat().st_size < 300_000_000


def test_guest_with_metadata_service(image: Path, tmp_path: Path) -> None:
    data = "#cloud-config\nruncmd:\n- echo user data by $(whoami) >/run/user-data\n"
    documents = write_documents(tmp_path / "served", make_key(tmp_path), hostname="served-1", user_data=data)
    with Network(tmp_path, documents) as network:
        guest = Guest(network, image, tmp_path, memory=512, disk="4G", more=OPENSTACK)
        print(f"ready after {_wait_for_user(guest):.0f} s")
        _check(guest, "served-1")
        assert "DataSourceOpenStack" in _ask(guest, "cat /run/cloud-init/result.json")
        assert "mtu 1400" in _ask(guest, "ip link")
        assert f"169.254.169.254 via {GATEWAY}" in _ask(guest, "ip route")

        # The guest's own boot menu, its host keys and its identity last.
        before = _ask(guest, "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub")
        boot = _ask(guest, "cat /proc/sys/kernel/random/boot_id")
        assert "console=ttyS0" in _ask(guest, "sudo update-grub 2>&1 && sudo cat /boot/grub/grub.cfg")
        guest.ssh("sudo systemctl reboot", user="debian")
        again = "cat /proc/sys/kernel/random/boot_id"
        guest.wait(lambda: guest.ssh(again, user="debian").stdout not in ("", boot), BOOT_SECONDS, pause=5)
        assert _ask(guest, "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub") == before

        guest.monitor("system_powerdown")
        guest.wait(lambda: guest.process.poll() is not None, 60)


def test_guest_with_config_drive(image: Path, tmp_path: Path) -> None:
    data = "#cloud-config\nruncmd:\n- echo user data by $(whoami) >/run/user-data\n"
    tree = write_documents(tmp_path / "drive", make_key(tmp_path), hostname="driven-1", user_data=data)
    iso = tmp_path / "config.iso"
    subprocess.run(["genisoimage", "-quiet", "-J", "-r", "-V", "config-2", "-o", iso, tree], check=True)
    drive = ("-drive", f"file={iso},if=none,id=config,format=raw,readonly=on", "-device", "virtio-blk-pci,drive=config")
    with Network(tmp_path) as network:
        guest = Guest(network, image, tmp_path, memory=512, disk="4G", more=(*OPENSTACK, *drive))
        _wait_for_user(guest)
        _check(guest, "driven-1")
        assert "DataSourceConfigDrive" in _ask(guest, "cat /run/cloud-init/result.json")


def _wait_for_user(guest: Guest) -> float:
    """Seconds until cloud-init had done its work."""
    guest.wait(lambda: "finished at" in guest.console, BOOT_SECONDS, pause=1)
    return time.monotonic() - guest.started


def _check(guest: Guest, hostname: str) -> None:
    assert _ask(guest, "hostname; whoami; sudo -n whoami") == f"{hostname}\ndebian\nroot\n"
    assert _ask(guest, "cat /run/user-data") == "user data by root\n"
    assert '"errors": []' in _ask(guest, "cat /run/cloud-init/result.json")
    assert int(_ask(guest, "df -m --output=size / | tail -n 1")) > 3500
    assert _ask(guest, "systemctl --failed --quiet --no-legend") == ""
    guest.wait(lambda: f"{hostname} login:" in guest.console, 60)
    assert "Linux version" in guest.console


def _ask(guest: Guest, command: str) -> str:
    """Output of a command that succeeds; a machine with much to do may take a while to let us in."""
    done = guest.ssh(command, user="debian")
    deadline = time.monotonic() + 60
    while done.returncode == 255 and time.monotonic() < deadline:
        done = guest.ssh(command, user="debian")
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
    return done.stdout
