"""What the Debian guest's disk is made of, short of building it."""

import os
import stat
import struct
from pathlib import Path

import pytest

from pileus.image.recipes import debian, grub, mbr
from pileus.image.recipes.tool import ToolError, run


def tree(folder: Path) -> Path:
    root = folder / "root"
    for name in ("etc/ssh", "etc/apt", "etc/cloud/cloud.cfg.d", "etc/default/grub.d", "boot/grub/i386-pc", "var/log"):
        (root / name).mkdir(parents=True)
    for name in ("etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_host_rsa_key.pub", "etc/ssh/sshd_config", "var/log/dpkg.log"):
        (root / name).write_text("here")
    (root / "etc/machine-id").write_text("0" * 32)
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.1")
    return root


def test_guests_are_not_each_other_and_not_this_machine(tmp_path: Path) -> None:
    root = tree(tmp_path)
    before = os.umask(0o077)
    try:
        debian.personalise(root)
    finally:
        os.umask(before)
    assert [file.name for file in (root / "etc/ssh").iterdir()] == ["sshd_config"]
    assert list((root / "var/log").iterdir()) == []
    assert (root / "etc/machine-id").read_text() == (root / "etc/resolv.conf").read_text() == ""
    placed = [root / "etc/fstab", root / "boot/grub/grub.cfg", root / "etc/cloud/cloud.cfg.d/90_cloud.cfg"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in placed] == [0o644] * 3
    assert "bookworm-security" in (root / "etc/apt/sources.list").read_text()


def test_the_first_sector_and_what_it_loads(tmp_path: Path) -> None:
    root, disk = tree(tmp_path), tmp_path / "disk"
    (root / "boot/grub/i386-pc/boot.img").write_bytes(b"B" * 512)
    (root / "boot/grub/i386-pc/core.img").write_bytes(b"C" * 1000)
    disk.write_bytes(bytes(8192))
    grub.install(root, disk, 4096, 4096)
    data = disk.read_bytes()
    assert (len(data), data[:440], data[510:512], data[512:1512]) == (8192, b"B" * 440, b"\x55\xaa", b"C" * 1000)
    flag, kind, start, count = struct.unpack("<B3xB3xII", data[446:462])
    assert (flag, kind, start, count, data[462:510]) == (0x80, mbr.LINUX, 8, 8, bytes(48))
    with pytest.raises(ToolError, match="does not fit"):
        grub.install(root, disk, 1024, 4096)


def test_it_takes_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ToolError, match="as root"):
        debian.build(tmp_path / "out.qcow2", cache=tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


def test_a_tool_is_not_waited_for_without_end() -> None:
    with pytest.raises(ToolError, match=r"sleep took longer than 0\.1 s"):
        run("sleep", "60", seconds=0.1)


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot is root's")
def test_what_the_packages_print_when_they_fail_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no process or mount of it is left."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mmdebstrap").write_text(
        "#!/bin/sh\nmount -t tmpfs none /mnt\nsleep 60 &\necho E: no mirror >&2\nexit 25\n"
    )
    (tools / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    mounts = Path("/proc/self/mounts").read_text()
    with pytest.raises(ToolError, match="E: no mirror"):
        debian.install(tmp_path / "root", tmp_path / "it's a cache")
    assert Path("/proc/self/mounts").read_text() == mounts
