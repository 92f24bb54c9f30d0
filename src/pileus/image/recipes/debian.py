"""A whole Debian 12 as a guest: systemd, cloud-init, OpenSSH, GRUB, Debian's own kernel for clouds.

Packages are installed into a folder, by mmdebstrap, and the folder becomes a disk: nothing is mounted from it and no loop
device is needed. What this guest has beyond its packages lies beside this module in `debian/`.
"""

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from pileus.image.formats import qemu_img
from pileus.image.recipes import grub
from pileus.image.recipes.tool import ToolError, run

PACKAGES = ("e2fsprogs", "mmdebstrap", "qemu-utils", "util-linux")
"""Debian packages that must be installed on the machine that builds."""

SUITE = "bookworm"
MIRROR = "http://deb.debian.org"
SOURCES = (
    f"deb {MIRROR}/debian {SUITE} main",
    f"deb {MIRROR}/debian {SUITE}-updates main",
    f"deb {MIRROR}/debian-security {SUITE}-security main",
)

# Besides the packages that are essential to every Debian.
GUEST_PACKAGES = (
    *("linux-image-cloud-amd64", "initramfs-tools", "zstd", grub.GUEST_PACKAGE),
    *("systemd-sysv", "libpam-systemd", "dbus", "systemd-timesyncd", "logrotate", "procps", "apt-utils"),
    *("cloud-init", "python3-cffi-backend", "cloud-guest-utils", "fdisk", "e2fsprogs"),
    *("ifupdown", "isc-dhcp-client", "netbase", "iproute2", "iputils-ping"),
    *("openssh-server", "sudo", "ca-certificates", "curl", "less", "nano"),
)

DISK_BYTES = 2 << 30  # of which a third is used; cloud-init grows it to the flavor's disk
INSTALL_SECONDS = 1800
WRITE_SECONDS = 600
# Each guest makes its own of these.
UNIQUE = ("etc/ssh/ssh_host_*", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/log/*.log")
_DATA = Path(__file__).with_suffix("")
_START = 1 << 20  # where the one partition begins


def build(out: Path, *, cache: Path, say: Callable[[str], None] = print) -> Path:
    """Build the image as compressed qcow2 at `out` (replaced in one step) and return `out`. Takes root, a minute or two.

    Packages are kept in `cache` for the next build. `say` gets a line for each stage. Raises ToolError.
    """
    if os.geteuid() != 0:
        raise ToolError("the Debian guest's packages install themselves as root: build it as root")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="debian-", dir=out.parent) as scratch:
        work = Path(scratch)
        root = work / "root"
        say(f"installing Debian {SUITE}")
        install(root, cache / "debian")
        say("writing the disk")
        personalise(root)
        grub.prepare(root)
        write_disk(root, work / "disk.raw")
        pack(work / "disk.raw", work / "disk.qcow2")
        os.replace(work / "disk.qcow2", out)
    say(f"built {out}, {out.stat().st_size / 1e6:.1f} MB")
    return out


def install(root: Path, cache: Path) -> None:
    """Install all packages into the new folder `root`, keeping their files in `cache`.

    Maintainer scripts run in the folder, in namespaces of their own: whatever happens, no mount and no process is left.
    """
    cache.mkdir(parents=True, exist_ok=True)
    archives, kept = "/var/cache/apt/archives", shlex.quote(str(cache.absolute()))
    run(
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(GUEST_PACKAGES)}"),
        "--skip=download/empty,essential/unlink",  # else the packages would be gone before they are kept
        *(f'--setup-hook=mkdir -p "$1{archives}"', f"--setup-hook=sync-in {kept} {archives}"),
        f'--essential-hook=echo {grub.NO_DISK_YET} | chroot "$1" debconf-set-selections',
        f"--customize-hook=sync-out {archives} {kept}",
        *(SUITE, str(root), *SOURCES),
        settings={"DEBIAN_FRONTEND": "noninteractive"},
        seconds=INSTALL_SECONDS,
    )


def personalise(root: Path) -> None:
    """Put the guest's own settings in, and take out what would make all guests the same one, or like this machine."""
    for pattern in UNIQUE:
        for file in root.glob(pattern):
            file.unlink()
    (root / "etc/machine-id").write_text("")
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/apt/sources.list").write_text("\n".join((*SOURCES, "")))
    for source in (file for file in (_DATA / "root").rglob("*") if file.is_file()):
        target = root / source.relative_to(_DATA / "root")
        shutil.copyfile(source, target)
        target.chmod(0o644)


def write_disk(root: Path, disk: Path) -> None:
    """The folder as a disk of one bootable ext4 partition, which may grow in place a thousandfold."""
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    layout = ("-b", "4096", "-O", "^metadata_csum_seed,^orphan_file", "-L", "root", "-E", f"offset={_START}")
    blocks = (DISK_BYTES - _START) // 4096
    run("mke2fs", "-q", "-F", "-t", "ext4", *layout, "-d", str(root), str(disk), str(blocks), seconds=WRITE_SECONDS)
    grub.install(root, disk, _START, DISK_BYTES - _START)


def pack(disk: Path, out: Path) -> None:
    try:
        qemu_img.convert(disk, "raw", out, "qcow2", compress=True)
    except qemu_img.QemuImgFailed as error:
        raise ToolError(str(error)) from None
