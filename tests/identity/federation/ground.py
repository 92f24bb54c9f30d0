"""A cloud that trusts identity providers, for the tests of federation."""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.settings import IdentitySettings
from pileus.kernel import config
from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud, settings_of
from pileus.kernel.db import Base, Database
from pileus.kernel.policy import Policy
from tests.identity.people import Caller, Json

PROVIDERS = "/OS-FEDERATION/identity_providers"
MAPPINGS = "/OS-FEDERATION/mappings"


@contextmanager
def cloud_with(folder: Path, identity: str, address: str = "") -> Iterator[Cloud]:
    """`identity`: lines of the configuration's section. `address`: what clients use. `folder` is a seeded state folder."""
    file = folder / "pileus.toml"
    file.write_text("[identity]\npassword_memory = 8\npassword_passes = 1\n" + identity)
    conf = config.load(folder, file, settings_of([MANIFEST]), {"public_url": address} if address else {})
    database = Database(conf.database_url)
    Base.metadata.create_all(database.engine)
    cloud = Cloud(conf, database, MemoryBus(), Policy(MANIFEST.policies, conf.policy_file), [MANIFEST])
    cloud.add(Hasher(conf.section(IdentitySettings)))
    yield cloud
    database.close()


@contextmanager
def served(app: ASGIApp, port: int) -> Iterator[None]:
    """On 127.0.0.1, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off", proxy_headers=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def rule(remote: list[Json], *local: Json) -> Json:
    return {"remote": remote, "local": list(local)}


def set_up(admin: Caller, idp: str, protocol: str, rules: list[Json], **provider: Any) -> Json:
    """An enabled identity provider with one protocol; its body."""
    body = {"identity_provider": {"enabled": True, **provider}}
    made: Json = admin.ask("PUT", f"{PROVIDERS}/{idp}", body, status=201)["identity_provider"]
    admin.ask("PUT", f"{MAPPINGS}/of-{idp}", {"mapping": {"rules": rules}}, status=201)
    admin.ask("PUT", f"{PROVIDERS}/{idp}/protocols/{protocol}", {"protocol": {"mapping_id": f"of-{idp}"}}, status=201)
    return made


def fields(html: str) -> tuple[str, Mapping[str, str]]:
    """Where a page's form goes, and what is in it."""
    action = re.search(r'action="([^"]*)"', html)
    assert action is not None, html
    inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', html)
    return unescape(action[1]), {unescape(name): unescape(value) for name, value in inputs}
