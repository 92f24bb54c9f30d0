"""Images: how fast their bytes go in and out, what imports take, what lists cost, how often a host fetches one."""

from bench.clouds import cloud, folder
from bench.figures import Figure
from bench.images import transfers


def measure(runs: int) -> list[Figure]:
    with cloud("--fake") as running, folder() as place:
        figures = transfers.measure(running, place, runs)
    return figures
