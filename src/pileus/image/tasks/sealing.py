"""Tokens that tasks act with elsewhere, at rest: encrypted with a key of the state folder, for as long as the task runs."""

from cryptography.fernet import Fernet, InvalidToken

from pileus.kernel import secret_file
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
    return secret_file.read(cloud.config.state / "image-keys" / "tasks", Fernet.generate_key)
