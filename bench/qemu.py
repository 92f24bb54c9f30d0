"""The qemu that libvirt starts for a server, started by hand: same machine, same image, no cloud."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.system.installation import wait_for

from bench.ssh import answers

PATIENCE = 90  # seconds
PORT = 2222  # of the loopback; leads to the guest's SSH
ROOT = "/root.qcow2"


class Recipe:
    """What to repeat, read from a running guest: its command line (/proc/PID/cmdline) and its root disk."""

    def __init__(self, pid: int) -> None:
        self.words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        disks = [json.loads(value) for flag, value in _pairs(self.words) if flag == "-blockdev"]
        root = next(disk["filename"] for disk in disks if disk.get("filename", "").endswith(ROOT))
        look = ["qemu-img", "info", "-U", "--output=json", root]
        self.disk = json.loads(subprocess.run(look, capture_output=True, text=True, check=True).stdout)

    def words_in(self, folder: Path) -> list[str]:
        """The same machine with its sockets, files and disk in `folder`, and user networking: nothing of libvirt is needed."""
        kept = self.words[:1]
        for flag, value in _pairs(self.words):
            changed = _changed(flag, value, folder)
            if changed is not None:
                kept += [flag, changed] if changed else [flag]
        return kept

    def make_disk(self, folder: Path) -> None:
        overlay = ["-b", self.disk["full-backing-filename"], "-F", self.disk["backing-filename-format"]]
        size = str(self.disk["virtual-size"])
        command = ["qemu-img", "create", "-q", "-f", "qcow2", *overlay, f"{folder}{ROOT}", size]
        subprocess.run(command, check=True)


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """(flag, its value or nothing)."""
    for word, following in zip(words[1:], [*words[2:], "-"], strict=True):
        if word.startswith("-"):
            yield word, "" if following.startswith("-") else following


def _changed(flag: str, value: str, folder: Path) -> str | None:
    """The value to use; None leaves the argument out."""
    match flag:
        case "-add-fd":
            return None
        case "-object" if '"qom-type":"secret"' in value:
            return None
        case "-chardev" if "id=charmonitor" in value:
            return f"socket,id=charmonitor,path={folder}/monitor,server=on,wait=off"
        case "-chardev" if "id=charserial0" in value:
            return f"file,id=charserial0,path={folder}/console"
        case "-netdev":
            forward = [{"str": f"tcp:127.0.0.1:{PORT}-:22"}]
            return json.dumps({"type": "user", "id": json.loads(value)["id"], "hostfwd": forward})
        case "-vnc":
            return f"unix:{folder}/vnc"
        case "-blockdev" if ROOT in value:
            return json.dumps(json.loads(value) | {"filename": f"{folder}{ROOT}"})
        case _:
            return value


class ByHand:
    """One start: seconds until QMP says `running`, and until SSH answers, both from before the process was there."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        folder.mkdir()
        recipe.make_disk(folder)
        started = time.monotonic()
        with subprocess.Popen(
            recipe.words_in(folder), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as guest:
            try:
                with _monitor(folder / "monitor", guest) as monitor:
                    self._run(monitor)
                    self.running = time.monotonic() - started
                    wait_for("SSH of the guest started by hand", lambda: answers("127.0.0.1", PORT), PATIENCE, 0.02)
                    self.answers = time.monotonic() - started
            finally:
                guest.kill()

    def _run(self, monitor: socket.socket) -> None:
        with monitor.makefile("rw") as lines:
            lines.readline()  # the greeting
            for command in ("qmp_capabilities", "cont"):
                _ask(lines, command)
            while _ask(lines, "query-status")["status"] != "running":
                time.sleep(0.005)


def _ask(lines: Any, command: str) -> Any:
    lines.write(json.dumps({"execute": command}))
    lines.flush()
    while "return" not in (answer := json.loads(lines.readline())):
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']['desc']}")
    return answer["return"]


def _monitor(path: Path, guest: subprocess.Popen[str]) -> socket.socket:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        channel = socket.socket(socket.AF_UNIX)
        try:
            channel.connect(str(path))
        except OSError:
            channel.close()
            if guest.poll() is not None:
                assert guest.stderr is not None
                raise RuntimeError(f"qemu by hand: {guest.stderr.read()}") from None
            time.sleep(0.005)
        else:
            return channel
    raise RuntimeError("qemu by hand: no monitor")
