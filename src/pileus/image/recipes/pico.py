"""The small guest image `pico`: a Linux with a shell, DHCP, SSH and what test suites of clouds look for.

All of it is put together from Debian packages, as plain files: nothing is installed, mounted or run as root. The guest's
own scripts and settings lie beside this module in `pico/`.
"""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from pileus.image.recipes import debs, disk, elf, modules
from pileus.image.recipes.tool import ToolError, run
from pileus.image.recipes.tree import Tree, cpio

PACKAGES: tuple[str, ...] = tuple(sorted({*disk.PACKAGES, *modules.PACKAGES, "dpkg"}))
"""Debian packages that must be installed on the machine that builds."""

KERNEL = "linux-image-cloud-amd64:linux-image-"

# Its shell prefers BusyBox's own commands to those on disk: quick for the boot scripts, wrong for users.
BOOT_SHELL = "busybox-static"

# What the guest consists of. Libraries are named too, so that the build fetches a fixed list and nothing by surprise.
GUEST_PACKAGES = (
    *("busybox", "curl", "dosfstools", "dropbear-bin", "e2fsprogs", "iproute2", "iputils-ping", "ncat"),
    *("openssh-sftp-server", "sudo", "util-linux"),
    *("libaudit1", "libblkid1", "libbpf1", "libbrotli1", "libbsd0", "libc6", "libcap-ng0", "libcap2", "libcom-err2"),
    *("libcrypt1", "libcurl4", "libdbus-1-3", "libelf1", "libext2fs2", "libffi8", "libgcrypt20", "libgmp10"),
    *("libgnutls30", "libgpg-error0", "libgssapi-krb5-2", "libhogweed6", "libidn2-0", "libk5crypto3", "libkeyutils1"),
    *("libkrb5-3", "libkrb5support0", "libldap-2.5-0", "liblua5.3-0", "liblz4-1", "liblzma5", "libmd0", "libmnl0"),
    *("libmount1", "libnettle8", "libnghttp2-14", "libp11-kit0", "libpam-modules", "libpam0g", "libpcap0.8"),
    *("libpcre2-8-0", "libpsl5", "librtmp1", "libsasl2-2", "libselinux1", "libsmartcols1", "libssh2-1", "libssl3"),
    *("libsystemd0", "libtasn1-6", "libtomcrypt1", "libtommath1", "libudev1", "libunistring2", "libuuid1"),
    *("libzstd1", "zlib1g"),
)

# Taken over from the packages, with the libraries that they link to; paths as in the packages.
PROGRAMS = (
    *("usr/sbin/dropbear", "usr/bin/dropbearkey", "usr/bin/dbclient", "usr/lib/openssh/sftp-server"),
    *("usr/bin/sudo", "usr/libexec/sudo/sudoers.so", "lib/x86_64-linux-gnu/security/pam_permit.so"),
    *("bin/lsblk", "sbin/blkid", "sbin/mkfs", "sbin/mke2fs", "sbin/e2fsck", "sbin/resize2fs", "sbin/mkfs.fat"),
    *("bin/ip", "bin/ping", "usr/bin/ncat", "usr/bin/curl", "etc/mke2fs.conf"),
    "usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so",  # which ncat asks OpenSSL for
)

LINKS = {
    **{f"usr/sbin/mkfs.{kind}": "mke2fs" for kind in ("ext2", "ext3", "ext4")},
    **{f"usr/sbin/fsck.{kind}": "e2fsck" for kind in ("ext2", "ext3", "ext4")},
    **{f"usr/sbin/{name}": "mkfs.fat" for name in ("mkfs.vfat", "mkdosfs")},
    **{f"usr/{name}": "/usr/bin/ping" for name in ("bin/ping4", "bin/ping6")},
    "etc/mtab": "/proc/mounts",
    "usr/bin/ssh": "dbclient",
    "usr/lib64/ld-linux-x86-64.so.2": "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "usr/lib/sftp-server": "openssh/sftp-server",
    "usr/sbin/ip": "/usr/bin/ip",
    "var/run": "/run",
}

MODES = {"usr/bin/sudo": 0o4755, "etc/shadow": 0o600, "etc/sudoers": 0o440}
FOLDERS = {"dev": 0o755, "mnt": 0o755, "proc": 0o555, "run": 0o755, "sys": 0o555, "tmp": 0o1777, "root": 0o700}
FOLDERS |= {"etc/dropbear": 0o700, "var/lib": 0o755, "var/log": 0o755, "var/tmp": 0o1777}
CIRROS_ID = 1000

# What the initial RAM disk needs to reach a root disk on any bus, and what the running guest may load besides.
DISK_MODULES = ("virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "ata_piix")
GUEST_MODULES = (
    *DISK_MODULES,
    *("virtio_net", "virtio_rng", "virtio_balloon", "virtio_console", "sr_mod", "button", "evdev"),
    *("isofs", "vfat", "nls_ascii", "nls_cp437", "nls_iso8859-1", "nls_utf8"),
    *("8021q", "bonding", "bridge", "dummy", "loop", "macvlan", "tun", "veth"),
)

RAM_DISK_COMMANDS = ["sh", "blockdev", "cat", "dd", "ls", "mount", "modprobe", "printf", "switch_root", "usleep"]
_DATA = Path(__file__).with_suffix("")


def build(out: Path, *, cache: Path, say: Callable[[str], None] = print) -> Path:
    """Build the image as compressed qcow2 at `out` (replaced in one step) and return `out`.

    Packages are downloaded into `cache`, so that a second build needs no network. `say` gets a line for each stage.
    Raises ToolError.
    """
    kernel_archive, shell_archive, *archives = debs.fetch((KERNEL, BOOT_SHELL, *GUEST_PACKAGES), cache, say)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pico-", dir=out.parent) as scratch:
        work = Path(scratch)
        say("unpacking")
        debs.unpack(archives, work / "packages")
        debs.unpack([shell_archive], work / "shell")
        debs.unpack([kernel_archive], work / "kernel")
        kernel = modules.Modules(work / "kernel")
        say(f"writing the disk, kernel {kernel.version}")
        ram_disk = work / "initrd"
        shell = work / "shell/bin/busybox"
        ram_disk.write_bytes(cpio(initial_tree(shell, kernel, work / "ram-modules")))
        boot_files = {
            "vmlinuz": work / f"kernel/boot/vmlinuz-{kernel.version}",
            "initrd": ram_disk,
            "syslinux.cfg": _DATA / "boot/syslinux.cfg",
        }
        tree = root_tree(work / "packages", shell, kernel, work / "modules")
        disk.fat(work / "boot.fat", boot_files, _mebibytes(sum(file.stat().st_size for file in boot_files.values()), 2))
        disk.ext4(work / "root.ext4", tree, _mebibytes(tree.size(), 16))
        disk.join(work / "disk.qcow2", work / "boot.fat", work / "root.ext4")
        os.replace(work / "disk.qcow2", out)
    say(f"built {out}, {out.stat().st_size / 1e6:.1f} MB")
    return out


def initial_tree(shell: Path, kernel: modules.Modules, scratch: Path) -> Tree:
    """The initial RAM disk: one script, BusyBox, the disk drivers."""
    tree = Tree()
    for folder in ("dev", "mnt", "proc", "sys"):
        tree.directory(folder)
    tree.file("bin/busybox", shell, 0o755)
    for command in RAM_DISK_COMMANDS:
        tree.link(f"bin/{command}", "busybox")
    tree.link("sbin", "bin")
    tree.file("init", _DATA / "initrd/init", 0o755)
    _add_modules(tree, kernel.subset(DISK_MODULES, scratch), scratch)
    return tree


def root_tree(packages: Path, shell: Path, kernel: modules.Modules, scratch: Path) -> Tree:
    """The guest's root file system."""
    tree = Tree()
    for folder in ("bin", "lib", "lib64", "sbin"):
        tree.directory(f"usr/{folder}")
        tree.link(folder, f"usr/{folder}")
    for folder, mode in FOLDERS.items():
        tree.directory(folder, mode)
    tree.directory("home/cirros", 0o755, CIRROS_ID)
    for file in sorted(file for file in (_DATA / "root").rglob("*") if file.is_file()):
        path = str(file.relative_to(_DATA / "root"))
        tree.file(path, file, MODES.get(path, 0o755 if file.read_bytes().startswith(b"#!") else 0o644))
    _add_programs(tree, packages)
    for path, target in LINKS.items():
        tree.link(path, target)
    tree.file("usr/lib/pico/sh", shell, 0o755)
    for busybox, place in ((packages / "bin/busybox", "/usr/bin/busybox"), (shell, "/usr/lib/pico/sh")):
        for path in _applets(busybox):
            if path not in tree:
                tree.link(path, place)
    _add_modules(tree, kernel.subset(GUEST_MODULES, scratch), scratch)
    return tree


def _add_programs(tree: Tree, packages: Path) -> None:
    tree.file("usr/bin/busybox", packages / "bin/busybox", 0o755)
    wanted = [packages / program for program in PROGRAMS]
    for program in wanted:  # grows by the libraries that are found on the way
        path = str(program.relative_to(packages))
        tree.file(path, program, MODES.get(path, 0o644 if path.startswith("etc/") else 0o755))
        wanted += [
            library
            for library in (_library(packages, name, program) for name in elf.needed(program))
            if library not in wanted
        ]


def _library(packages: Path, name: str, program: Path) -> Path:
    folders = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/libexec/sudo")
    for folder in folders:
        if (packages / folder / name).exists():
            return packages / folder / name
    raise ToolError(f"none of the guest's packages holds {name}, which {program.name} links to")


def _applets(busybox: Path) -> list[str]:
    """Where BusyBox wants its commands linked, as sbin/init."""
    return run(str(busybox), "--list-full").split()


def _add_modules(tree: Tree, files: Iterable[Path], scratch: Path) -> None:
    for file in files:
        tree.file(str(file.relative_to(scratch)), file)


def _mebibytes(content: int, spare: int) -> int:
    """Bytes for a file system that holds `content` bytes and has `spare` MiB left."""
    return (content // disk.MIB + 1 + spare) * disk.MIB
