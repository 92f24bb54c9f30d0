"""Choosing host CPUs for virtual ones that want one each (Compute's admin guide, CPU thread pinning policies)."""

from pileus.compute.topology.room import Cores


def choose(cores: Cores, count: int, threads: str | None) -> tuple[int, ...] | None:
    """`count` of the free CPUs, those of one core side by side; None when there are too few. `cores`: free CPUs of each core.

    Whole cores first, then the one with the least to spare, so that large guests find whole cores later. With `require` every CPU
    comes from a core with two free threads at least.
    """
    left = [core for core in cores if threads != "require" or len(core) > 1]
    if sum(map(len, left)) < count:
        return None
    taken: list[int] = []
    while len(taken) < count:
        wanted = count - len(taken)
        whole = [core for core in left if len(core) <= wanted]
        core = max(whole, key=len) if whole else min(left, key=len)
        left.remove(core)
        taken += core[:wanted]
    return tuple(taken)
