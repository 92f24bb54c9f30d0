"""The secrets of consumers and tokens. A signature is checked with the secret itself, so a hash would not do.

Each is computed from its id and one key in the state folder: who reads the database learns none.
"""

import base64
import hmac
import os
from pathlib import Path
from typing import Literal

FILE = "secrets/oauth1_key"  # in the state folder
Kind = Literal["consumer", "request", "verifier", "access"]


class Deriver:
    def __init__(self, file: Path) -> None:
        self.file = file
        self._key = b""

    def secret(self, kind: Kind, id: str) -> str:
        """43 characters that are safe in URLs. Takes the same time whether there is a thing with that id or not."""
        self._key = self._key or self._load()
        digest = hmac.digest(self._key, f"{kind}:{id}".encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _load(self) -> bytes:
        """Made when it is first needed; of two processes at that point, one wins."""
        if not self.file.exists():
            self.file.parent.mkdir(mode=0o700, exist_ok=True)
            own = self.file.with_name(f".{self.file.name}.{os.getpid()}")
            own.unlink(missing_ok=True)
            descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(own, self.file)
            except FileExistsError:
                pass
            finally:
                own.unlink()
        return self.file.read_bytes()
