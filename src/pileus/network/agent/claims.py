"""Which named namespaces are this cloud's: names under /run/netns are the whole machine's, and other clouds may live there too."""

from pathlib import Path

from pileus.network.agent.snapshot import HostNetwork


class Claims:
    """An empty file a namespace, written before it is made and removed after it is gone: a crash leaves a claim, never an orphan."""

    def __init__(self, settings: HostNetwork) -> None:
        self._folder = Path(settings.state) / "namespaces"

    def names(self, prefix: str) -> set[str]:
        if not self._folder.is_dir():
            return set()
        return {entry.name for entry in self._folder.iterdir() if entry.name.startswith(prefix)}

    def claim(self, name: str) -> None:
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        (self._folder / name).touch()

    def drop(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)
