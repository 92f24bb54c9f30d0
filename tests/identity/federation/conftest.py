"""Real identity providers on loopback, for the tests of federation."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CLOUD = "http://testserver"
WEB = "/identity/v3/auth/OS-FEDERATION/identity_providers/{}/protocols/{}/websso"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class OpenId:
    """`folder` has the provider's keys."""

    address: str
    folder: Path


@pytest.fixture(scope="session")
def openid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenId]:
    folder, port = tmp_path_factory.mktemp("openid"), free_port()
    program = Path(__file__).parent / "openid_provider.py"
    command = [sys.executable, "-W", "ignore", str(program), str(port), str(folder), CLOUD + WEB.format("op", "openid")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield OpenId(f"http://127.0.0.1:{port}", folder)
        finally:
            process.terminate()
            process.wait(10)
