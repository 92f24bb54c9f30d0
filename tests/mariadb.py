"""A real MariaDB server of the tests' own, on a free port of loopback."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from pileus.kernel.db import Database


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """URL of an empty database; its files are in `folder`. Skips the test where MariaDB can not be had."""
    if shutil.which("mariadbd") is None and os.geteuid() != 0:
        pytest.skip("mariadbd is not installed")
    folder.mkdir(exist_ok=True)
    port, data = free_port(), folder / "data"
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        ["mariadb-install-db", *common, *user, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        [
            "mariadbd",
            *common,
            *user,
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={folder}/s",
            "--innodb-buffer-pool-size=32M",
        ],
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    url = f"mysql+pymysql://root@127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                admin = Database(f"{url}/mysql")
                with admin.engine.begin() as connection:
                    connection.execute(text("CREATE DATABASE pileus CHARACTER SET utf8mb4"))
                admin.close()
                break
            except Exception:
                assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.2)
        yield f"{url}/pileus?charset=utf8mb4"
    finally:
        server.terminate()
        server.wait(30)
        log.close()
