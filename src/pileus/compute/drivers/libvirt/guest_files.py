"""Where a guest's files are: `<state>/guests/<server id>/`. A disk's suffix is its format, so none is ever guessed."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from pileus.compute.drivers.base import GuestSpec
from pileus.compute.drivers.libvirt.qemu_user import QemuUser

SERVER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class GuestFiles:
    """Names and makes files; everything below `root`."""

    def __init__(self, root: Path, owner: QemuUser) -> None:
        self.root = root
        self.owner = owner

    def prepare(self) -> None:
        """Make the folder that holds the guests' folders: passable for the guests' user, not readable."""
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.root.chmod(0o711)

    def folder(self, server_id: str) -> Path:
        if not SERVER_ID.fullmatch(server_id):
            raise ValueError(f"{server_id!r} is not a server id")
        return self.root / server_id

    def root_disk(self, spec: GuestSpec) -> Path:
        """qcow2 over an image, raw without one."""
        return self.folder(spec.server_id) / ("root.qcow2" if spec.image else "root.raw")

    def ephemeral(self, server_id: str) -> Path:
        return self.folder(server_id) / "ephemeral0.raw"

    def swap(self, server_id: str) -> Path:
        return self.folder(server_id) / "swap.raw"

    def config_drive(self, server_id: str) -> Path:
        return self.folder(server_id) / "config.iso"

    def console(self, server_id: str) -> Path:
        return self.folder(server_id) / "console.log"

    def ids(self) -> set[str]:
        """Servers that have a folder."""
        try:
            return {entry.name for entry in os.scandir(self.root) if SERVER_ID.fullmatch(entry.name)}
        except FileNotFoundError:
            return set()

    def make_folder(self, server_id: str) -> None:
        folder = self.folder(server_id)
        folder.mkdir(mode=0o711, exist_ok=True)
        folder.chmod(0o711)

    def make(self, path: Path, write: Callable[[Path], None], mode: int = 0o600) -> None:
        """Have `write` make a file under a temporary name, give it to the guests' user, rename it to `path`.

        A file that is there already is kept.
        """
        if path.exists():
            return
        temporary = path.with_name(f".{path.name}.new")
        temporary.unlink(missing_ok=True)
        write(temporary)
        handle = os.open(temporary, os.O_RDONLY)
        try:
            os.fchown(handle, self.owner.uid, self.owner.gid)
            os.fchmod(handle, mode)
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.rename(path)

    def remove(self, server_id: str) -> None:
        """Remove the guest's folder; not there is fine."""
        try:
            shutil.rmtree(self.folder(server_id))
        except FileNotFoundError:
            self._remove_rest(server_id)

    def _remove_rest(self, server_id: str) -> None:
        # Another thread or qemu's exit may have taken a file while the folder was walked.
        if self.folder(server_id).exists():
            shutil.rmtree(self.folder(server_id))
