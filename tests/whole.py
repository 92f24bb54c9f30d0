"""All services in this process, with real identity and seeds: what clients see, without processes or privileges."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pileus.composition import MANIFESTS, compose, load, sow
from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import Base
from pileus.roles.state import Owner, prepare

assert MANIFESTS


@contextmanager
def whole_cloud(
    folder: Path, *, seeds: bool = False, overrides: Mapping[str, Any] | None = None, file: Path | None = None
) -> Iterator[Cloud]:
    """`overrides` are `[cloud]` settings; `file` is a configuration."""
    prepare(folder, Owner(0, 0), Owner(0, 0))
    conf = load(folder, file, {"hypervisor": "fake", "network_mechanism": "fake"} | dict(overrides or {}))
    cloud = compose(conf, MemoryBus())
    Base.metadata.create_all(cloud.db.engine)
    if seeds:
        sow(cloud)
    yield cloud
    cloud.db.close()
