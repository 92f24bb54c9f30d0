"""Small things that travel through a browser or client and come back unchanged: encrypted, and good for ten minutes."""

from pathlib import Path

from cryptography.fernet import InvalidToken

from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import KeyRing
from pileus.identity.tokens.login import refused

SECONDS = 600  # that somebody has to log in at the provider


class Seals:
    """The keys are made when they are first needed: most clouds have no federation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keys = KeyRing(folder)

    def close(self, kind: str, content: bytes) -> str:
        """Letters, digits, `-` and `_`. `kind` says what it is for: it opens as nothing else."""
        if not self.folder.is_dir():
            keys.create(self.folder)
        return self._keys.fernet().encrypt(kind.encode() + b"\0" + content).rstrip(b"=").decode()

    def open(self, kind: str, text: str) -> bytes:
        """Raises Unauthorized for what was not closed here, for this kind, in the last ten minutes."""
        head, content = kind.encode() + b"\0", b""
        if self.folder.is_dir():
            try:
                content = self._keys.fernet().decrypt(text.encode() + b"=" * (-len(text) % 4), ttl=SECONDS)
            except (InvalidToken, ValueError):
                content = b""
        if not content.startswith(head):
            raise refused(f"a {kind} that is not ours, or too old")
        return content[len(head) :]
