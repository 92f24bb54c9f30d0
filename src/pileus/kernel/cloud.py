"""The composed cloud, as every part of a process reaches it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

import msgspec

from pileus.kernel.bus.base import Bus
from pileus.kernel.config import Config
from pileus.kernel.context import Authenticator
from pileus.kernel.db import Database
from pileus.kernel.manifest import Manifest
from pileus.kernel.policy import Policy

T = TypeVar("T")


class Cloud:
    """Config, database, bus, policy and the services' own parts, by type. One instance a process."""

    def __init__(self, config: Config, db: Database, bus: Bus, policy: Policy, manifests: Sequence[Manifest]) -> None:
        self.config = config
        self.db = db
        self.bus = bus
        self.policy = policy
        self.manifests = {manifest.name: manifest for manifest in manifests}
        self._parts: dict[type, object] = {}
        for manifest in manifests:
            if manifest.setup is not None:
                manifest.setup(self)

    def add(self, part: object, kind: type | None = None) -> None:
        """Register a service's long-lived object (token provider, image store) under its type or a base of it."""
        self._parts[kind or type(part)] = part

    def part(self, kind: Callable[..., T]) -> T:
        """The part of that class or protocol. Raises LookupError."""
        assert isinstance(kind, type)
        if kind not in self._parts:
            raise LookupError(f"no {kind.__name__} in this cloud")
        return cast(T, self._parts[kind])

    @property
    def authenticator(self) -> Authenticator:
        part = self._parts[Authenticator]
        assert isinstance(part, Authenticator)
        return part

    def settings(self, kind: type[T]) -> T:
        """The configuration section whose shape this is."""
        return self.config.section(kind)

    def endpoint(self, service: str) -> str:
        """The public address of a service's prefix, without a trailing slash."""
        return f"{self.config.endpoint}/{service}"

    def catalog_types(self) -> Mapping[str, tuple[str, str]]:
        """Service type -> (service name, endpoint address)."""
        return {
            kind: (manifest.name, self.endpoint(manifest.name) + path)
            for manifest in self.manifests.values()
            for kind, path in manifest.types.items()
        }


def settings_of(manifests: Sequence[Manifest]) -> dict[str, type[msgspec.Struct]]:
    return {manifest.name: manifest.settings for manifest in manifests if manifest.settings is not None}
