"""The composition root: which services there are, and how configuration, kernel and manifests become a cloud."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from pileus.compute.agent.settings import AgentSettings
from pileus.compute.manifest import MANIFEST as COMPUTE
from pileus.identity.manifest import MANIFEST as IDENTITY
from pileus.image.manifest import MANIFEST as IMAGE
from pileus.kernel import config, seeds
from pileus.kernel.bus.base import Bus
from pileus.kernel.cloud import Cloud, settings_of
from pileus.kernel.config import Config
from pileus.kernel.db import Database
from pileus.kernel.manifest import Manifest
from pileus.kernel.policy import Policy
from pileus.metadata.manifest import MANIFEST as METADATA
from pileus.network.manifest import MANIFEST as NETWORK
from pileus.placement.manifest import MANIFEST as PLACEMENT

SERVICES: tuple[Manifest, ...] = (IDENTITY, PLACEMENT, IMAGE, NETWORK, COMPUTE)
OWN_PORT: tuple[Manifest, ...] = (METADATA,)  # answers on its classic port alone: 8775
MANIFESTS = SERVICES + OWN_PORT


def shapes() -> dict[str, type[msgspec.Struct]]:
    """Every section of the configuration file but `[cloud]`."""
    return settings_of(MANIFESTS) | {"agent": AgentSettings}


def load(state: Path, file: Path | None, overrides: Mapping[str, Any]) -> Config:
    return config.load(state, file, shapes(), overrides)


def compose(conf: Config, bus: Bus) -> Cloud:
    rules = [rule for manifest in MANIFESTS for rule in manifest.policies]
    return Cloud(conf, Database(conf.database_url), bus, Policy(rules, conf.policy_file), MANIFESTS)


def sow(cloud: Cloud) -> None:
    """The first rows of every service, once."""
    for manifest in cloud.manifests.values():
        if manifest.seed is not None:
            seeds.once(cloud.db, manifest.name, manifest.seed_version, partial(manifest.seed, cloud))
