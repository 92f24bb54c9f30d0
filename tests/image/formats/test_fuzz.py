"""No bytes make a parser fail, and what is taken is what qemu sees: one disk of the same size, in one file.

Runs of a few seconds are the same each time. PILEUS_FUZZ=100 tries a hundred times as much, other things each time.
"""

import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.image.containers import packages
from tests.image.containers.packages import COMPRESSORS, examine
from tests.image.formats import disks
from tests.image.formats.disks import KIB, MIB, inspect
from tests.image.formats.fields import Field, Sample, samples

from pileus.image.formats import FormatRefused, Inspector, Verdict, check, qemu_img
from pileus.image.formats.qemu_img import QemuImgFailed

FACTOR = int(os.environ.get("PILEUS_FUZZ", "1"))
PLACE = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
EDGES = [0, 1, 2, 3, 4, 6, 7, 8, 9, 16, 21, 64, 255, 512, 4096, 1 << 16, 1 << 20, 1 << 31, 1 << 32, 1 << 62]
STEPS = st.sampled_from([333, 4096, 65536, 999_999, 10**9])
MARKS = [
    *(b"QFI\xfb\0\0\0\3", b"QFI\xfb\0\0\0\2", b"KDMV\1\0\0\0", b"COWD", b"# Disk DescriptorFile\n", b"version=1\n"),
    *(
        b"conectix",
        b"vhdxfile",
        b"LUKS\xba\xbe\0\1",
        b"LUKS\xba\xbe\0\2",
        b"QED\0",
        b"WithouFreSpacExt",
        b"#!/bin/sh\n",
    ),
]

LINES = [
    *('RW 2048 FLAT "/etc/passwd" 0', 'RW 2048 SPARSE "/etc/passwd"', "RW 0 ZERO", 'parentFileNameHint="/etc/passwd"'),
    *(
        'createType="monolithicFlat"',
        "parentCID=1",
        'ddb.x = "RW 1 FLAT"',
        "#",
        "",
        "RW",
        "=",
        '  RW 2048 SPARSE "d"  ',
    ),
]


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        derandomize=FACTOR == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def values(sample: Sample, field: Field) -> st.SearchStrategy[int]:
    """Values near what the field has, at its edges, and any."""
    now = sample.value(field)
    most = (1 << 8 * field.length) - 1
    near = [now ^ 1 << bit for bit in range(8 * field.length)] + [now + 1, now - 1, now * 2, now // 2, now + 512]
    return st.one_of(st.sampled_from(near), st.sampled_from([*EDGES, most, most - 1, most >> 1]), st.integers(0, most))


class Changed(NamedTuple):
    """A sound disk of which some fields are changed."""

    name: str
    changes: list[tuple[Field, int]]

    def made(self) -> tuple[str, bytes]:
        """What it is declared as, and its bytes with checksums that are right."""
        sample = samples()[self.name]
        return sample.format, sample.changed(self.changes)


@st.composite
def changed(draw: st.DrawFn, most: int) -> Changed:
    name = draw(st.sampled_from(sorted(samples())))
    sample = samples()[name]
    fields = draw(st.lists(st.sampled_from(sample.fields), min_size=1, max_size=most, unique=True))
    return Changed(name, [(field, draw(values(sample, field))) for field in fields])


def judged(data: bytes, step: int) -> Verdict:
    """The verdict, which must not depend on the size of chunks."""
    verdict = inspect(data, MIB)
    assert inspect(data, max(step, len(data) // 300)) == verdict
    assert verdict.faults or verdict.virtual_size is None or 0 <= verdict.virtual_size <= 1 << 60
    return verdict


@fuzz(200)
@given(disk=changed(4), cut=st.one_of(st.none(), st.integers(0, 400_000)), step=STEPS)
def test_changed_fields_get_a_verdict(disk: Changed, cut: int | None, step: int) -> None:
    declared, data = disk.made()
    verdict = judged(data[:cut], step)
    if cut is None and verdict.format == "raw":  # a changed version of qcow2 or a mark of ISO: no trace is left
        assert declared in ("qcow2", "iso", "luks", "vdi", "vhd")


@fuzz(300)
@given(
    mark=st.sampled_from(MARKS),
    noise=st.binary(max_size=1200),
    at=st.sampled_from([0, 64, 510, 32769]),
    tail=st.sampled_from([b"", b"conectix", b"koly"]),
    step=STEPS,
)
def test_noise_gets_a_verdict(mark: bytes, noise: bytes, at: int, tail: bytes, step: int) -> None:
    judged((mark + noise).ljust(at, b"\0") + noise + tail.ljust(512, b"\1"), step)


@fuzz(150)
@given(lines=st.lists(st.sampled_from(disks.SPARSE.splitlines() + LINES), max_size=14), joint=st.sampled_from("\n\0\r"))
def test_descriptors_name_no_other_file(lines: list[str], joint: str) -> None:
    data = disks.vmdk(descriptor=joint.join(lines) + "\n")
    verdict = judged(data, 777)
    if not verdict.faults:
        qemu_agrees(data, "vmdk", verdict)


@fuzz(160)
@given(disk=changed(2))
def test_what_is_taken_is_what_qemu_sees(disk: Changed) -> None:
    declared, data = disk.made()
    verdict = inspect(data, MIB)
    try:
        check(verdict, declared)
    except FormatRefused:
        return
    if declared in qemu_img.DRIVERS:
        qemu_agrees(data, declared, verdict)


def qemu_agrees(data: bytes, declared: str, verdict: Verdict) -> None:
    """qemu-img either refuses the disk, in time, or sees no file but it, and the size that the verdict has."""
    with tempfile.NamedTemporaryFile(dir=PLACE) as file:
        file.write(data)
        file.flush()
        try:
            seen = qemu_img.info(Path(file.name), declared)
        except QemuImgFailed as error:
            assert "failed (1)" in str(error), "it must refuse, not be stopped"
            return
    assert seen.other_files == []
    assert verdict.virtual_size is not None
    if declared == "vhd":  # qemu may go by the geometry, others by the size: the verdict has the larger
        assert seen.virtual_size <= verdict.virtual_size
    elif declared == "iso":  # qemu counts whole sectors
        assert seen.virtual_size == -(-verdict.virtual_size // 512) * 512
    else:
        assert seen.virtual_size == verdict.virtual_size


@pytest.mark.parametrize("name", sorted(samples()))
def test_memory_is_bounded_whatever_the_fields_say(name: str) -> None:
    sample = samples()[name]
    disk = [sample.changed([(field, (1 << 8 * field.length) - 1)]) for field in sample.fields[:3]]
    disk += [sample.changed([(field, 1 << 8 * field.length - 2) for field in sample.fields[2:]])]
    for data in disk:
        pieces = [data[start : start + 64 * KIB] for start in range(0, len(data), 64 * KIB)]
        tracemalloc.start()
        try:
            inspector = Inspector()
            for piece in pieces:
                inspector.feed(piece)
            inspector.finish()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 * MIB


PACKED = {
    "ova": packages.ova(before=(packages.member("machine.mf", b"SHA1(a)= " + b"0" * 40),)),
    "docker": packages.tar(packages.pax(path="manifest.json"), packages.member("x", b"[]")),
    **{f"compressed {name}": compress(disks.qcow2()) for name, compress in COMPRESSORS.items()},
}


@fuzz(250)
@given(
    name=st.sampled_from(sorted(PACKED)),
    patches=st.lists(st.tuples(st.integers(0, 2200), st.binary(min_size=1, max_size=12)), max_size=4),
    cut=st.one_of(st.none(), st.integers(0, 3000)),
    step=st.sampled_from([1, 100, 512, 10**9]),
)
def test_spoilt_containers_are_taken_or_refused(
    name: str, patches: list[tuple[int, bytes]], cut: int | None, step: int
) -> None:
    data = bytearray(PACKED[name])
    for at, new in patches:
        data[at : at + len(new)] = new
    container = name.split(maxsplit=1)[0]
    declared = {"ova": "vmdk", "docker": "raw"}.get(container, "qcow2")

    def outcome(step: int) -> str:
        try:
            return str(examine(bytes(data[:cut]), container, declared, step=step, most=8 * MIB))
        except FormatRefused as error:
            return str(error)

    assert outcome(step) == outcome(4096)
