"""Bytes in and out of a running API process, each beside the plain program, one right after the other."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from tests.system.installation import Installation

from bench.figures import Figure
from bench.images import plain
from bench.images.client import Client
from bench.images.peaks import forget_peak, peak
from bench.machine import Meter

SPARSE, DENSE = 10 << 30, 1 << 30
AIM = 1.5  # times the plain program's seconds
MB = 1e6


@dataclass
class Samples:
    """Of each run: seconds here and of the plain program, CPU seconds of the cloud, cores that others used."""

    here: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)


def measure(cloud: Installation, place: Path, runs: int) -> list[Figure]:
    if shutil.disk_usage(place).free < 4 * DENSE:
        raise RuntimeError(f"{place} needs {4 * DENSE >> 30} GiB of free room")
    room = shutil.disk_usage(place).free > 2 * SPARSE
    figures = []
    for kind, size, sparse in (("dense", DENSE, False), ("sparse", SPARSE, True)):
        if sparse and not room:
            continue
        source = plain.make(place / kind, size, sparse=sparse)
        figures += _both_ways(cloud, source, f"{size >> 30} GiB {kind}", runs)
        source.unlink()
    return figures


def _both_ways(cloud: Installation, source: Path, what: str, runs: int) -> list[Figure]:
    client = Client(cloud)
    up, down = Samples(), Samples()
    pid = cloud.pid("api")
    forget_peak(pid)
    before = peak(pid)
    for _ in range(runs):
        image = client.create("bench")
        copy = source.with_suffix(".copy")
        _sample(cloud, up, partial(plain.copy, source, copy), partial(client.put, image, source))
        _sample(cloud, down, partial(plain.send, source), partial(client.get, image))
        client.delete(image)
    size = source.stat().st_size
    return [
        *_figures(f"upload of {what}", up, size, "read, sha512, write, fsync"),
        *_figures(f"download of {what}", down, size, "read, send, receive, sha512"),
        Figure(
            f"API process meanwhile, peak resident, {what}", "MB", [peak(pid)], up.others, None, f"{before:.0f} before"
        ),
    ]


def _sample(cloud: Installation, samples: Samples, theirs: Callable[[], float], ours: Callable[[], float]) -> None:
    samples.plain.append(theirs())
    with Meter(cloud.state) as meter:
        samples.here.append(ours())
    samples.cpu.append(meter.cpu)
    samples.others.append(meter.others)


def _figures(name: str, samples: Samples, size: int, plainly: str) -> list[Figure]:
    ratios = [here / alone for here, alone in zip(samples.here, samples.plain, strict=True)]
    note = f"{size / MB / median(samples.plain):.0f} MB/s plain: {plainly}"
    rates = [size / MB / seconds for seconds in samples.here]
    cpu = [1e9 * seconds / size for seconds in samples.cpu]
    return [
        Figure(name, "MB/s", rates, samples.others, None, note),
        Figure(
            f"{name}, to the plain program",
            "times",
            ratios,
            samples.others,
            AIM,
            f"best to best {min(samples.here) / min(samples.plain):.2f}",
        ),
        Figure(f"{name}, CPU", "s/GB", cpu, samples.others, None, "all processes of the cloud"),
    ]
