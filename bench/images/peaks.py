"""The most memory that a process ever had, since it was last forgotten."""

import re
from pathlib import Path


def peak(pid: int) -> float:
    """Resident, MB."""
    match = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match is not None
    return int(match[1]) / 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
