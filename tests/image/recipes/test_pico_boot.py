"""The image `pico`, built and booted for real: under TCG, on a network of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pileus.image.recipes import pico
from tests.image.recipes.guest import ADDRESS, GATEWAY, LOGIN_LINE, Guest, Network, make_key, write_documents

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and taps need root"),
]

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pileus/pico"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pico.build(tmp_path_factory.mktemp("pico") / "pico.qcow2", cache=CACHE)


@pytest.fixture
def served(image: Path, tmp_path: Path) -> Iterator[Guest]:
    """A guest that gets its metadata over HTTP."""
    script = "#!/bin/sh\necho user data by $(whoami) >/tmp/user-data\n"
    documents = write_documents(tmp_path / "served", make_key(tmp_path), hostname="served-1", user_data=script)
    with Network(tmp_path, documents) as network:
        yield Guest(network, image, tmp_path)


def test_the_image_is_small(image: Path) -> None:
    assert image.stat().st_size < 40_000_000


def test_second_build_needs_no_network_and_gives_the_same_bytes(image: Path, tmp_path: Path) -> None:
    offline = ("unshare", "--net", "python3", "-c")
    program = "import sys; from pathlib import Path; from pileus.image.recipes import pico; "
    program += "pico.build(Path(sys.argv[1]), cache=Path(sys.argv[2]))"
    source = Path(pico.__file__).parents[3]
    call = (*offline, program, str(tmp_path / "again.qcow2"), str(CACHE))
    subprocess.run(call, check=True, env=os.environ | {"PYTHONPATH": str(source)}, timeout=120)
    assert (tmp_path / "again.qcow2").read_bytes() == image.read_bytes()


def test_guest_with_metadata_service(served: Guest) -> None:
    served.wait_for_ssh()
    served.wait(lambda: LOGIN_LINE in served.console, 20)
    assert "Linux version" in served.console

    # Who it is, and who may come in.
    assert served.ssh("hostname").stdout == "served-1\n"
    assert served.ssh("whoami; sudo -n whoami").stdout == "cirros\nroot\n"
    assert served.ssh("hostname", user="root").stdout == "served-1\n"
    refused = served.ssh("true", "-o", "PubkeyAuthentication=no", "-o", "BatchMode=yes")
    assert (refused.returncode, refused.stderr) == (255, f"cirros@{ADDRESS}: Permission denied (publickey).\n")
    served.wait(lambda: served.ssh("cat /tmp/user-data").stdout == "user data by root\n", 10)

    # A command's exit status, and its two outputs apart.
    mixed = served.ssh("set -eu -o pipefail; PATH=$PATH:/sbin:/usr/sbin; echo out; echo err >&2; exit 7")
    assert (mixed.returncode, mixed.stdout, mixed.stderr) == (7, "out\n", "err\n")

    # The lease with options 26 and 121, renewed on request.
    assert "mtu 1400" in served.ssh("ip link show eth0").stdout
    routes = served.ssh("ip route").stdout
    assert f"default via {GATEWAY}" in routes
    assert f"169.254.169.254 via {GATEWAY}" in routes
    renewed = served.ssh("sudo /bin/kill -USR1 $(cat /var/run/udhcpc.eth0.pid); sleep 1; ip -o -4 addr show eth0")
    assert ADDRESS in renewed.stdout
    assert served.ssh("curl -s http://169.254.169.254/openstack/latest/user_data").stdout.startswith("#!/bin/sh")
    assert served.ssh(f"ping -c1 -w2 -s56 {GATEWAY}").returncode == 0

    served.wait(lambda: int(served.ssh("df -m / | awk 'NR == 2 {print $2}'").stdout) > 900, 10)
    served.ssh("sudo sh -c 'echo from-the-guest >/dev/console'")
    served.wait(lambda: "from-the-guest" in served.console, 5)

    _plug_in_a_disk(served)
    _plug_in_a_nic(served)
    _listen(served)
    _reboot(served)
    served.monitor("system_powerdown")
    served.wait(lambda: served.process.poll() is not None, 4)


def _plug_in_a_disk(guest: Guest) -> None:
    for node in ("volume", "disk"):
        guest.monitor("blockdev-add", **{"driver": "null-co", "node-name": node, "size": 1 << 26, "read-zeroes": True})
    guest.monitor("device_add", driver="virtio-blk-pci", drive="volume", id="volume", serial="12345678-90ab-cdef-1")
    guest.wait(lambda: guest.ssh("cat /sys/block/vdb/serial").stdout.strip() == "12345678-90ab-cdef-1", 5)
    assert "vdb" in guest.ssh("lsblk --nodeps --noheadings --output NAME").stdout
    assert guest.ssh("sudo blkid -L config-2 -o device").returncode == 2
    guest.monitor("device_del", id="volume")
    guest.wait(lambda: guest.ssh("test -e /sys/block/vdb").returncode == 1, 5)

    guest.monitor("device_add", driver="virtio-scsi-pci", id="scsi")
    guest.monitor("device_add", driver="scsi-hd", bus="scsi.0", drive="disk")
    guest.wait(lambda: "sda" in guest.ssh("lsblk -S").stdout, 5)


def _plug_in_a_nic(guest: Guest) -> None:
    guest.monitor("device_add", driver="virtio-net-pci", mac="52:54:00:77:00:06", id="nic")
    guest.wait(lambda: "52:54:00:77:00:06" in guest.ssh("ip -o link").stdout, 5)
    assert guest.ssh("sudo ip addr add 10.78.0.5/24 dev eth1 && sudo ip link set eth1 up").returncode == 0
    assert guest.ssh("sudo ip link add link eth1 name eth1.5 type vlan id 5").returncode == 0
    guest.monitor("device_del", id="nic")
    guest.wait(lambda: "eth1" not in guest.ssh("ip -o link").stdout, 5)


def _listen(guest: Guest) -> None:
    """The servers that tempest starts, and its way to ask them."""

    def answered(options: str) -> bool:
        return guest.ssh(f"echo bar | nc -w 1 {options}").stdout == "foolish\n"

    guest.ssh("sudo nc -p 5000 -lk -e echo foolish >/dev/null 2>&1 </dev/null &")
    guest.ssh("sudo nc -u -p 5001 -lk -e echo foolish >/dev/null 2>&1 </dev/null &")
    guest.wait(lambda: answered(f"{ADDRESS} 5000"), 10)
    guest.wait(lambda: answered(f"-u {ADDRESS} 5001"), 10)


def _reboot(guest: Guest) -> None:
    before = guest.ssh("cat /proc/sys/kernel/random/boot_id").stdout
    guest.ssh("sudo reboot")
    guest.wait(lambda: guest.ssh("cat /proc/sys/kernel/random/boot_id").stdout not in {"", before}, 90)
    assert guest.ssh("hostname; cat /tmp/user-data").stdout == "served-1\nuser data by root\n"


@pytest.mark.parametrize("bus", ["scsi disk, vfat", "ide cdrom, iso9660"])
def test_guest_with_config_drive(image: Path, tmp_path: Path, bus: str) -> None:
    documents = write_documents(tmp_path / "drive", make_key(tmp_path, "rsa"), hostname="driven-1")
    drive = tmp_path / "config-drive"
    if "vfat" in bus:
        subprocess.run(("mkfs.vfat", "-C", "-n", "config-2", str(drive), "2048"), check=True, capture_output=True)
        subprocess.run(("mcopy", "-s", "-i", str(drive), str(documents / "openstack"), "::"), check=True)
        device = ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=config"]
    else:
        if not shutil.which("genisoimage"):
            pytest.skip("genisoimage is not installed")
        call = ("genisoimage", "-quiet", "-J", "-r", "-V", "config-2", "-o", str(drive), str(documents))
        subprocess.run(call, check=True, capture_output=True)
        device = ["-device", "ide-cd,drive=config"]
    blank = ("-drive", f"file={drive},format=raw,if=none,id=config,readonly=on")
    with Network(tmp_path) as network:
        guest = Guest(network, image, tmp_path, memory=96, more=(*blank, *device))
        guest.wait_for_ssh()
        guest.wait(lambda: LOGIN_LINE in guest.console, 20)
        assert guest.ssh("hostname; cat /etc/hostname").stdout == "driven-1\ndriven-1\n"
        assert "metadata from config drive" in guest.console
        found = guest.ssh(
            "sudo mount $(/sbin/blkid -L config-2 -o device) /mnt && cat /mnt/openstack/latest/meta_data.json"
        )
        assert '"hostname": "driven-1.novalocal"' in found.stdout


def test_guest_without_metadata_still_offers_a_login(image: Path, tmp_path: Path) -> None:
    with Network(tmp_path) as network:
        guest = Guest(network, image, tmp_path)
        guest.wait(lambda: LOGIN_LINE in guest.console, 30)
        assert "no metadata yet" in guest.console
