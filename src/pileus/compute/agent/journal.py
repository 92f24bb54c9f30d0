"""What this host has done for each guest, so that a restarted agent does it once: a small file a guest.

The hypervisor says what runs; only this says which generation that was for, and which reboots are done.
"""

import os
from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """`boot` is the host's boot id: after a host reboot every guest is brought back to what is wanted.

    `attempts` counts failures to reach the generation `tried`.
    """

    generation: int = 0
    hard_reboots: int = 0
    soft_reboots: int = 0
    attempts: int = 0
    tried: int = 0
    boot: str = ""


class Journal:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held: dict[str, Entry] = {}
        for path in folder.glob("*.json"):
            try:
                self._held[path.stem] = msgspec.json.decode(path.read_bytes(), type=Entry)
            except msgspec.DecodeError:
                path.unlink()  # half a file: the guest is looked at from scratch

    def get(self, server_id: str) -> Entry | None:
        return self._held.get(server_id)

    def known(self) -> set[str]:
        return set(self._held)

    def put(self, server_id: str, entry: Entry) -> None:
        path = self._folder / f"{server_id}.json"
        temporary = path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(entry))
        os.replace(temporary, path)
        self._held[server_id] = entry

    def forget_boot(self) -> None:
        """The guests were stopped behind their owners' backs: the next agent brings each back to what is wanted."""
        for server_id, entry in list(self._held.items()):
            self.put(server_id, msgspec.structs.replace(entry, boot=""))

    def drop(self, server_id: str) -> None:
        (self._folder / f"{server_id}.json").unlink(missing_ok=True)
        self._held.pop(server_id, None)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
