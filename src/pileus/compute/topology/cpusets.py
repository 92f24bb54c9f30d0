"""Sets of CPUs as people write them: `0-3,^2,7` is 0, 1, 3 and 7."""

import re
from collections.abc import Iterable

LARGEST = 4095  # the highest CPU number that Linux counts to on any of its platforms
PART = re.compile(r"(\^?)(\d{1,4})(?:-(\d{1,4}))?")


def parse(text: str) -> frozenset[int]:
    """Empty for an empty text. Raises ValueError, which names the part that is wrong. `^` takes CPUs out, wherever it stands."""
    taken: set[int] = set()
    left_out: set[int] = set()
    for part in (part.strip() for part in text.split(",") if part.strip()):
        found = PART.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is neither a CPU number, nor a range as 0-3, nor one of these with ^ before it")
        first, last = int(found[2]), int(found[3] or found[2])
        if first > last or last > LARGEST:
            raise ValueError(f"{part!r} is not a range of CPUs from 0 to {LARGEST}")
        (left_out if found[1] else taken).update(range(first, last + 1))
    return frozenset(taken - left_out)


def chosen(text: str, everything: Iterable[int]) -> frozenset[int]:
    """As `parse`, but a text that only takes out (`^0`) takes it out of `everything`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parts and all(part.startswith("^") for part in parts):
        return frozenset(everything) - parse(",".join(part[1:] for part in parts))
    return parse(text)


def text(cpus: Iterable[int]) -> str:
    """The shortest writing, which libvirt reads too: `0-3,7`."""
    ranges: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and ranges[-1][1] == cpu - 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
