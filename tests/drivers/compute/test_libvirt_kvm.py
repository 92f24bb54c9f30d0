"""The KVM probe: a verdict in bounded time, whatever /dev/kvm is, asked once a boot."""

import re
import time
from pathlib import Path

import msgspec
import pytest

from pileus.compute.drivers.libvirt import kvm, kvm_guest
from pileus.compute.drivers.libvirt.kvm import KvmVerdict, kvm_verdict, probe_kvm


def test_a_machine_without_kvm(tmp_path: Path) -> None:
    usable, reason = probe_kvm(tmp_path / "kvm")
    assert not usable
    assert "absent" in reason


def test_this_machine_gets_an_answer_in_time() -> None:
    begin = time.monotonic()
    usable, reason = probe_kvm()
    assert time.monotonic() - begin < 10
    assert usable == ("hardware speed" in reason)


@pytest.mark.parametrize(
    ("program", "usable", "said"),
    [
        ("print(100_000)", True, "hardware speed"),
        ("print(300_000_000)", False, "too slowly .test loop 300 ms"),
        ("import time; time.sleep(30)", False, "no test guest within"),
        ("raise OSError('no such ioctl')", False, "no such ioctl"),
    ],
    ids=["fast", "slow", "hanging", "failing"],
)
def test_each_kind_of_guest(
    program: str, usable: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "guest.py"
    script.write_text(program)
    monkeypatch.setattr(kvm_guest, "__file__", str(script))
    device = tmp_path / "kvm"
    device.touch()
    found, reason = probe_kvm(device, seconds=1.0)
    assert found is usable
    assert re.search(said, reason)


def test_the_verdict_is_remembered_for_this_boot_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def probe() -> tuple[bool, str]:
        asked.append("probe")
        return True, "fine"

    monkeypatch.setattr(kvm, "probe_kvm", probe)
    file = tmp_path / "state" / "kvm.json"
    first = kvm_verdict(file)
    assert kvm_verdict(file) == first
    assert len(asked) == 1
    file.write_bytes(msgspec.json.encode(KvmVerdict(False, "of yesterday", "another boot")))
    assert kvm_verdict(file).usable
    file.write_bytes(b"{half")
    assert kvm_verdict(file).usable
    assert len(asked) == 3
