"""qemu-img is started only with named formats, absolute names and limits."""

import os
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from tests.image.formats import disks
from tests.image.formats.disks import patched

from pileus.image.formats import check, limited, qemu_img
from pileus.image.formats.qemu_img import Limits, QemuImgFailed, QemuImgStopped

MIB = 1024 * 1024


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a shell script in qemu-img's place."""
    script = folder / "bin" / "qemu-img"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")


def test_an_overlay_is_made_read_resized_and_flattened(tmp_path: Path) -> None:
    base, overlay, flat = (tmp_path / name for name in ("base", "over,lay:1", "flat"))
    base.write_bytes(b"data" * (MIB // 4))
    qemu_img.create_overlay(overlay, base, "raw", 2 * MIB)
    seen = qemu_img.info(overlay, "qcow2")
    assert (seen.virtual_size, seen.format, seen.backing_filename, seen.backing_format) == (
        2 * MIB,
        "qcow2",
        str(base),
        "raw",
    )
    qemu_img.resize(overlay, "qcow2", 4 * MIB)
    qemu_img.convert(overlay, "qcow2", flat, "qcow2", compress=True)
    seen = qemu_img.info(flat, "qcow2")
    assert (seen.virtual_size, seen.backing_filename) == (4 * MIB, None)
    qemu_img.convert(flat, "qcow2", tmp_path / "raw", "raw")
    assert (tmp_path / "raw").read_bytes() == base.read_bytes() + bytes(3 * MIB)


def test_a_raw_disk_with_a_header_written_by_its_guest_stays_raw(tmp_path: Path) -> None:
    """CVE-2026-24708: a resize must change the file's length, not follow the header."""
    disk = tmp_path / "disk"
    disk.write_bytes(disks.qcow2(backing_at=512, backing_bytes=11))
    qemu_img.resize(disk, "raw", MIB)
    assert disk.stat().st_size == MIB
    assert qemu_img.info(disk, "raw").virtual_size == MIB


def test_a_new_disk_is_empty(tmp_path: Path) -> None:
    qemu_img.create(tmp_path / "disk", "vhd", 4 * MIB)
    assert qemu_img.info(tmp_path / "disk", "vhd").format == "vpc"


def test_shrinking_must_be_asked_for(tmp_path: Path) -> None:
    qemu_img.create(tmp_path / "disk", "raw", 2 * MIB)
    with pytest.raises(QemuImgFailed, match="shrink"):
        qemu_img.resize(tmp_path / "disk", "raw", MIB)
    qemu_img.resize(tmp_path / "disk", "raw", MIB, shrink=True)
    assert (tmp_path / "disk").stat().st_size == MIB


def test_what_qemu_img_says_reaches_the_caller(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(4096))
    with pytest.raises(QemuImgFailed, match=r"qemu-img info failed \(1\): .*not in qcow2 format"):
        qemu_img.info(tmp_path / "disk", "qcow2")


def test_an_unknown_format_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'' is not a disk format"):
        qemu_img.info(tmp_path / "disk", "")


def test_every_call_names_its_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    body = f'echo "$@" >> {log}; echo \'{{"virtual-size": 1, "actual-size": 1, "format": "raw"}}\''
    program(tmp_path, monkeypatch, body)
    monkeypatch.chdir(tmp_path)
    disk = Path("-json:disk")
    qemu_img.info(disk, "iso", in_use=True)
    qemu_img.create(disk, "raw", 1)
    qemu_img.create_overlay(disk, Path("nbd:host"), "vhd", 1)
    qemu_img.convert(disk, "vhd", Path("b"), "ploop")
    qemu_img.resize(disk, "aki", 1)
    assert log.read_text().splitlines() == [
        f"info --output=json --force-share -f raw {tmp_path}/-json:disk",
        f"create -q -f raw {tmp_path}/-json:disk 1",
        f"create -q -f qcow2 -F vpc -b {tmp_path}/nbd:host {tmp_path}/-json:disk 1",
        f"convert -q -f vpc -O parallels {tmp_path}/-json:disk {tmp_path}/b",
        f"resize -q -f raw {tmp_path}/-json:disk 1",
    ]


def test_the_limits_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "ulimit -v >&2; ulimit -t >&2; exit 1")
    with pytest.raises(QemuImgFailed, match=r"2097152\n30$"):
        qemu_img.info(tmp_path / "disk", "raw")
    with pytest.raises(QemuImgFailed, match=r"1048576\n5$"):
        qemu_img.info(tmp_path / "disk", "raw", limits=Limits(1024**3, 5))


def test_too_little_memory_stops_the_call(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(4096))
    with pytest.raises(QemuImgFailed):
        qemu_img.info(tmp_path / "disk", "raw", limits=Limits(address_space_bytes=16 * MIB))


def test_endless_memory_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "tail /dev/zero || exit 3")
    started = time.monotonic()
    with pytest.raises(QemuImgFailed, match=r"failed \(3\).*memory"):
        qemu_img.info(tmp_path / "disk", "raw", limits=Limits(address_space_bytes=256 * MIB))
    assert time.monotonic() - started < 20


def shared_clusters() -> bytes:
    """A sound qcow2 of 64 GiB in 320 KiB: all its clusters are one, compressed, and so are its L2 tables."""
    packed = zlib.compressobj(wbits=-12)
    cluster = packed.compress(bytes(disks.CLUSTER)) + packed.flush()
    data = disks.qcow2(size=64 * 1024 * MIB, l1_entries=128)
    data = patched(data, 3 * disks.CLUSTER, struct.pack(">Q", 4 * disks.CLUSTER) * 128)
    data = patched(data, 4 * disks.CLUSTER, struct.pack(">Q", 1 << 62 | 5 * disks.CLUSTER) * 8192)
    return patched(data, 5 * disks.CLUSTER, cluster.ljust(1024, b"\0"))


def test_a_small_file_that_makes_endless_work_is_stopped(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(shared_clusters())
    verdict = disks.inspect(disk.read_bytes())
    check(verdict, "qcow2")  # nothing is wrong with it, but that it says its size
    assert verdict.virtual_size == qemu_img.info(disk, "qcow2").virtual_size == 64 * 1024 * MIB
    with pytest.raises(QemuImgFailed, match="convert was stopped by signal"):
        qemu_img.convert(disk, "qcow2", tmp_path / "copy", "qcow2", limits=Limits(cpu_seconds=1))
    with pytest.raises(QemuImgFailed, match=r"signal 25|too large"):
        qemu_img.convert(disk, "qcow2", tmp_path / "copy", "raw", limits=Limits(file_bytes=MIB))


def test_endless_work_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "while :; do :; done")
    with pytest.raises(QemuImgFailed, match="signal 9"):
        qemu_img.info(tmp_path / "disk", "raw", limits=Limits(cpu_seconds=1))


def test_endless_waiting_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "exec sleep 60")
    with pytest.raises(QemuImgFailed, match=r"longer than 0\.2 s"):
        qemu_img.info(tmp_path / "disk", "raw", limits=Limits(timeout_seconds=0.2))


def test_output_that_is_no_json_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "echo hello")
    with pytest.raises(QemuImgFailed, match="no JSON"):
        qemu_img.info(tmp_path / "disk", "raw")


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QemuImgFailed, match="setpriv is not installed"):
        qemu_img.info(tmp_path / "disk", "raw")


def test_progress_is_told(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"data" * (8 * MIB // 4))
    told: list[float] = []
    qemu_img.convert(tmp_path / "disk", "raw", tmp_path / "copy", "qcow2", progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 100


def test_progress_is_understood_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(
        tmp_path, monkeypatch, "printf '    (1.00/100%%)\\r   (2'; sleep 0.1; printf '.50/100%%)\\r'; printf '(oops)'"
    )
    told: list[float] = []
    qemu_img.convert(tmp_path / "disk", "raw", tmp_path / "copy", "qcow2", progress=told.append)
    assert told == [1.0, 2.5]


def test_a_conversion_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 1

    started = time.monotonic()
    with pytest.raises(QemuImgStopped, match="qemu-img convert was stopped"):
        qemu_img.convert(tmp_path / "disk", "raw", tmp_path / "copy", "qcow2", stop=stop)
    assert time.monotonic() - started < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_progress_raises_stops_the_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid; echo '(1.00/100%)'; exec sleep 60")

    def gone(_percent: float) -> None:
        raise LookupError("the image was deleted")

    with pytest.raises(LookupError):
        qemu_img.convert(tmp_path / "disk", "raw", tmp_path / "copy", "qcow2", progress=gone)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_target_stays_below_its_bound(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"data" * (4 * MIB // 4))
    with pytest.raises(QemuImgFailed, match=r"signal 25|too large"):
        qemu_img.convert(tmp_path / "disk", "raw", tmp_path / "copy", "raw", limits=Limits(file_bytes=MIB))
    assert (tmp_path / "copy").stat().st_size <= MIB
    qemu_img.convert(tmp_path / "disk", "raw", tmp_path / "copy", "raw", limits=Limits(file_bytes=4 * MIB))


def test_endless_output_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "exec head -c 300000000 /dev/zero")
    monkeypatch.setattr(limited, "OUTPUT_BYTES", MIB)
    with pytest.raises(QemuImgFailed, match="no JSON"):
        qemu_img.info(tmp_path / "disk", "raw")


def test_other_files_of_an_image_are_named(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(bytes(MIB))
    qemu_img.create_overlay(tmp_path / "over", tmp_path / "base", "raw", MIB)
    assert qemu_img.info(tmp_path / "over", "qcow2").other_files == [str(tmp_path / "base")]
    make = [
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-o",
        f"data_file={tmp_path}/data",
        str(tmp_path / "split"),
        "1M",
    ]
    subprocess.run(make, check=True)
    assert qemu_img.info(tmp_path / "split", "qcow2").other_files == [f"{tmp_path}/data"]
    make = ["qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", str(tmp_path / "flat"), "1M"]
    subprocess.run(make, check=True)
    assert qemu_img.info(tmp_path / "flat", "vmdk").other_files == [f"{tmp_path}/flat-flat"]
    for driver in ("vmdk", "qcow2"):
        qemu_img.create(tmp_path / driver, driver, MIB)
        assert qemu_img.info(tmp_path / driver, driver).other_files == []


def test_the_stand_in_for_tests_is_the_real_program() -> None:
    version = subprocess.run(["qemu-img", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("qemu-img version")
