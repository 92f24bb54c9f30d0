"""A real server that speaks S3, for tests: OpenStack Swift as a process of its own, on loopback, with its files in a folder."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from pileus.image.s3.settings import SMALLEST_PART, S3Settings

ACCESS_KEY, SECRET = "cloud:images", "not-to-be-shown-1"
PROGRAM = Path(__file__).with_name("swift_process.py")


class Swift:
    """A server that runs until `stop`."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.folder, self.process, self.port = folder, process, port

    def settings(self, **changed: object) -> S3Settings:
        given = {
            "endpoint": f"http://127.0.0.1:{self.port}",
            "bucket": "images",
            "access_key": ACCESS_KEY,
            "secret": SECRET,
            "create_bucket": True,
            "part_size": SMALLEST_PART,
            "timeout": 10,
        }
        return msgspec.convert(given | changed, S3Settings)

    def bytes_on_disk(self) -> int:
        """Of all objects and parts, whoever may still see them."""
        objects = self.folder / "devices" / "disk" / "objects"
        return sum(file.stat().st_size for file in objects.rglob("*.data"))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[Swift]:
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-W", "ignore", str(PROGRAM), str(folder), str(port), ACCESS_KEY, SECRET]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout:
            try:
                line = process.stdout.readline()
                assert line.strip().isdigit(), (folder / "log").read_text()
                server = Swift(folder, process, int(line))
                yield server
            finally:
                process.kill()
                process.wait(10)
