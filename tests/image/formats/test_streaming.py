"""The verdict depends on the bytes alone; memory and time stay small; no bytes make a parser fail."""

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.image.formats import disks
from tests.image.formats.disks import inspect, patched

from pileus.image.formats import FormatRefused, Inspector, check

SAMPLES = {
    "qcow2": disks.qcow2(),
    "vmdk": disks.vmdk(),
    "vdi": disks.vdi(),
    "vhd": disks.vhd(),
    "fixed vhd": disks.fixed_vhd(disks.gpt()),
    "luks": disks.luks1(),
    "luks2": b"LUKS\xba\xbe\0\2"
    + (1 << 14).to_bytes(8, "big")
    + bytes(4080)
    + b'{"segments":{"0":{"offset":"32768"}}}',
    "iso": disks.iso(start=disks.gpt()[:4096]),
    "vhdx": patched(b"vhdxfile", 320 * 1024, bytes(1024)),
    "ploop": b"WithouFreSpacExt".ljust(512, b"\2"),
}


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("step", [1000, 4097, 327680, 10**9])
def test_the_size_of_chunks_does_not_matter(data: bytes, step: int) -> None:
    assert inspect(data, step) == inspect(data)


def test_one_byte_at_a_time() -> None:
    data = disks.vhd()
    assert inspect(data, 1) == inspect(data)


def test_memory_is_bounded() -> None:
    chunk = bytes(1024 * 1024)
    tracemalloc.start()
    try:
        for data in SAMPLES.values():
            inspector = Inspector()
            inspector.feed(data)
            for _ in range(64):
                inspector.feed(chunk)
            inspector.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024  # one inspector, and the chunk in flight


@settings(max_examples=400, deadline=1000, suppress_health_check=[HealthCheck.too_slow])
@given(
    sample=st.sampled_from(sorted(SAMPLES)),
    patches=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 1200), st.integers(0, 330_000)),
            st.one_of(
                st.binary(min_size=1, max_size=16), st.sampled_from([b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7])
            ),
        ),
        max_size=6,
    ),
    length=st.one_of(st.none(), st.integers(0, 600), st.integers(0, 400_000)),
    step=st.sampled_from([777, 65536, 10**9]),
)
def test_spoilt_disks_get_a_verdict(
    sample: str, patches: list[tuple[int, bytes]], length: int | None, step: int
) -> None:
    data = SAMPLES[sample]
    for at, new in patches:
        data = patched(data, at, new)
    verdict = inspect(data[:length], step)
    assert verdict == inspect(data[:length])
    assert verdict.virtual_size is None or verdict.virtual_size >= 0
    if verdict.format != "raw":
        with pytest.raises(FormatRefused):
            check(verdict, "no such format")


@given(descriptor=st.text(max_size=800))
def test_any_descriptor_text_gets_a_verdict(descriptor: str) -> None:
    assert inspect(disks.vmdk(descriptor=descriptor)).faults


@given(metadata=st.one_of(st.text(max_size=300).map(str.encode), st.just(b"[" * 12000)))
def test_any_luks2_metadata_get_a_verdict(metadata: bytes) -> None:
    verdict = inspect(SAMPLES["luks2"][:4096] + metadata.ljust(12288, b"\0"))
    assert verdict.format == "luks"
    assert verdict.faults


def test_hostile_counts_take_no_time() -> None:
    disk = disks.qcow2(l1_entries=2**32 - 1, snapshots=2**32 - 1, size=2**63, refcount_table_clusters=2**32 - 1)
    started = time.process_time()
    inspect(disk)
    assert time.process_time() - started < 0.5
