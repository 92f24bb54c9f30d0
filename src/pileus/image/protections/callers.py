"""The protections as a part of the cloud, and what they mean for whoever sends a request."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pileus.image.protections.protections import Protections
from pileus.image.protections.rules import Operation
from pileus.image.settings import ImageSettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Call

V = TypeVar("V")


def load(cloud: Cloud) -> Protections:
    """As the configuration has it. Raises ConfigError."""
    settings = cloud.settings(ImageSettings)
    file = Path(settings.property_protection_file) if settings.property_protection_file else None
    return Protections.load(file, settings.property_protection_rule_format, cloud.policy.names)


def readable(call: Call, properties: Mapping[str, V]) -> dict[str, V]:
    """Those that the caller may see."""
    return call.cloud.part(Protections).readable(properties, call.context.roles, call.allows)


def enforce(call: Call, operation: Operation, name: str) -> None:
    """Raises Forbidden. Ask before whether the property is there: the answer must not tell what may not be read."""
    call.cloud.part(Protections).enforce(operation, name, call.context.roles, call.allows)
