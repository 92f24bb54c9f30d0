"""Tokens that tasks act with elsewhere, at rest: encrypted with a key of the state folder, for as long as the task runs."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from pileus.kernel.cloud import Cloud


def seal(cloud: Cloud, token: str) -> str:
    return Fernet(_key(cloud)).encrypt(token.encode()).decode()


def unseal(cloud: Cloud, sealed: str | None) -> str | None:
    """None when there is none, or the key was changed since."""
    try:
        return Fernet(_key(cloud)).decrypt(sealed.encode()).decode() if sealed else None
    except InvalidToken:
        return None


def _key(cloud: Cloud) -> bytes:
    """Made by the first who needs it; linked into place, so that two who make one at a time end with the same."""
    path = cloud.config.state / "image-keys" / "tasks"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        own = path.with_name(f".tasks-{os.getpid()}-{os.urandom(4).hex()}")
        _write(own, Fernet.generate_key())
        try:
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return path.read_bytes()


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
