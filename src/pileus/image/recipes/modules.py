"""Choose kernel modules for a guest, with all that they depend on."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from pileus.image.recipes.tool import run

PACKAGES = ("kmod",)


class Modules:
    """The modules of one unpacked kernel package at `root`."""

    def __init__(self, root: Path) -> None:
        (folder,) = (root / "lib/modules").iterdir()
        self.version = folder.name
        self.folder = folder
        run("depmod", "-b", str(root), self.version)
        self._needs: dict[str, list[str]] = {}
        for line in (folder / "modules.dep").read_text().splitlines():
            file, _, needs = line.partition(":")
            self._needs[_name(file)] = [file, *needs.split()]

    def closure(self, names: Iterable[str]) -> list[Path]:
        """Files of the modules `names` and their dependencies, in an order in which each can be inserted."""
        files: dict[str, None] = {}
        for name in names:
            if name.replace("-", "_") not in self._needs:
                raise KeyError(f"kernel {self.version} has no module {name}")
            files |= dict.fromkeys(reversed(self._needs[name.replace("-", "_")]))
        return [self.folder / file for file in files]

    def subset(self, names: Iterable[str], root: Path) -> list[Path]:
        """Copy `names` and their dependencies below `root`, indexed for modprobe; all files that it now holds."""
        target = root / "lib/modules" / self.version
        for file in self.closure(names):
            copy = target / file.relative_to(self.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            shutil.copyfile(self.folder / index, target / index)
        run("depmod", "-b", str(root), self.version)
        kept = {"modules.dep", "modules.alias", "modules.builtin", "modules.softdep", "modules.symbols"}
        return sorted(file for file in target.rglob("*") if file.suffix == ".ko" or file.name in kept)


def _name(file: str) -> str:
    return Path(file).stem.replace("-", "_")
