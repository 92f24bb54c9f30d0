"""Without a container, the inspector alone judges."""

import pytest
from tests.image.containers.packages import examine
from tests.image.formats import disks

from pileus.image.formats import FormatRefused


@pytest.mark.parametrize("step", [100, 10**9])
def test_the_verdict_is_the_inspectors(step: int) -> None:
    assert examine(disks.qcow2(), "bare", "qcow2", step=step) == disks.inspect(disks.qcow2())


@pytest.mark.parametrize("kind", ["ami", "ari", "aki"])
def test_amazons_containers_have_plain_bytes(kind: str) -> None:
    assert examine(b"MZ" + bytes(4094), kind, kind).virtual_size == 4096
    with pytest.raises(FormatRefused, match="bytes are 'qcow2'"):
        examine(disks.qcow2(), kind, kind)


def test_a_hostile_disk_is_refused() -> None:
    with pytest.raises(FormatRefused, match="names a backing file"):
        examine(disks.qcow2(backing_at=512, backing_bytes=8), "bare", "qcow2")
