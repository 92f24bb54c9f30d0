"""A guest's SSH from outside: does it answer, does it let the key in."""

import socket
import subprocess
from pathlib import Path

OPTIONS = (
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "BatchMode=yes",
    "ConnectTimeout=2",
)


def answers(address: str, port: int = 22) -> bool:
    """Is there an SSH server's greeting?"""
    try:
        with socket.create_connection((address, port), timeout=0.3) as channel:
            return channel.recv(4) == b"SSH-"
    except OSError:
        return False


def login(address: str, key: Path) -> bool:
    options = [word for option in OPTIONS for word in ("-o", option)]
    command = ["ssh", *options, "-i", str(key), f"cirros@{address}", "true"]
    return (
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
    )


def new_key(path: Path) -> str:
    """Makes a key pair; returns the public line."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()
