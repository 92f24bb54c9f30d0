"""Does /dev/kvm really run guests? Measured once a boot of the machine, remembered in the state folder."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from pileus.compute.drivers.libvirt import kvm_guest

PROBE_SECONDS = 2.0
# The probe's loop takes well under 1 ms at hardware speed; at this limit a guest kernel would still boot in seconds.
LIMIT_NS = 20_000_000


class KvmVerdict(msgspec.Struct, frozen=True):
    """`reason` is a line for the operator."""

    usable: bool
    reason: str
    boot_id: str


def probe_kvm(device: Path = Path("/dev/kvm"), seconds: float = PROBE_SECONDS) -> tuple[bool, str]:
    """Run the counting guest in a child that is killed after `seconds`."""
    if not device.exists():
        return False, "KVM is absent (no /dev/kvm): guests run by emulation, many times slower"
    if not os.access(device, os.R_OK | os.W_OK):
        return False, "KVM may not be opened by this user: guests run by emulation, many times slower"
    command = [sys.executable, "-I", kvm_guest.__file__]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False, f"KVM ran no test guest within {seconds:g} s: guests run by emulation"
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return False, f"KVM failed to run a test guest ({why}): guests run by emulation"
    taken = int(done.stdout)
    if taken > LIMIT_NS:
        slow = taken / 1e6
        return (
            False,
            f"KVM runs guests too slowly (test loop {slow:.0f} ms, limit {LIMIT_NS / 1e6:.0f}): emulation is used",
        )
    return True, "KVM runs guests at hardware speed"


def kvm_verdict(remembered: Path) -> KvmVerdict:
    """The verdict for this boot of the machine, from the file `remembered` if it holds it."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    try:
        known = msgspec.json.decode(remembered.read_bytes(), type=KvmVerdict)
        if known.boot_id == boot_id:
            return known
    except (OSError, msgspec.DecodeError):
        pass  # never asked, or half written: ask now
    usable, reason = probe_kvm()
    verdict = KvmVerdict(usable, reason, boot_id)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_bytes(msgspec.json.encode(verdict))
    return verdict
