"""Images: how fast their bytes go in and out, what imports take, how often a host fetches one, what lists cost."""

from bench.clouds import cloud, folder
from bench.figures import Figure
from bench.images import hosts, imports, lists, plain, transfers

SETTINGS = '[image.web]\nallow = ["127.0.0.1"]\n'  # where web-download finds the benchmark's own server


def measure(runs: int) -> list[Figure]:
    with folder() as place:
        file = place / "pileus.toml"
        file.write_text(SETTINGS)
        with cloud("--fake", "--config", str(file)) as running:
            figures = transfers.measure(running, place, runs)
            source = plain.make(place / "image", transfers.DENSE, sparse=False)
            figures += imports.measure(running, source, runs) + hosts.measure(running, source, runs)
    return figures + lists.measure(runs)
