"""The secrets of consumers and tokens. A signature is checked with the secret itself, so a hash would not do.

Each is computed from its id and one key in the state folder: who reads the database learns none.
"""

import base64
import hmac
import os
from functools import partial
from pathlib import Path
from typing import Literal

from pileus.kernel import secret_file

FILE = "secrets/oauth1_key"  # in the state folder
Kind = Literal["consumer", "request", "verifier", "access"]


class Deriver:
    def __init__(self, file: Path) -> None:
        self.file = file
        self._key = b""

    def secret(self, kind: Kind, id: str) -> str:
        """43 characters that are safe in URLs. Takes the same time whether there is a thing with that id or not."""
        self._key = self._key or secret_file.read(self.file, partial(os.urandom, 32))
        digest = hmac.digest(self._key, f"{kind}:{id}".encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
