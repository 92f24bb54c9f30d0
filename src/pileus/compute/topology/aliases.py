"""PCI devices by the names that an operator gives them: `pci_passthrough:alias` of a flavor (Compute's admin guide, PCI passthrough)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from pileus.compute.topology.hardware import Affinity, Device, DeviceType, Identifier
from pileus.compute.topology.specs import Specs
from pileus.kernel.errors import BadRequest

KEY = "pci_passthrough:alias"
AFFINITIES: tuple[Affinity, ...] = ("required", "legacy", "preferred", "socket")


class PciAlias(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a name stands for. Aliases of one name stand for devices of either kind."""

    name: Annotated[str, Meta(pattern=r"^[^\s:,]{1,256}$")]
    vendor_id: Identifier | None = None
    product_id: Identifier | None = None
    device_type: DeviceType = "type-PCI"
    numa_policy: Affinity = "legacy"

    def matches(self, device: Device) -> bool:
        return (
            device.type == self.device_type
            and (self.vendor_id is None or self.vendor_id.lower() == device.vendor_id.lower())
            and (self.product_id is None or self.product_id.lower() == device.product_id.lower())
        )


class DeviceWish(NamedTuple):
    """`number` devices that any of the aliases matches."""

    name: str
    number: int
    aliases: tuple[PciAlias, ...]
    affinity: Affinity

    def matches(self, device: Device) -> bool:
        return any(alias.matches(device) for alias in self.aliases)


def read(specs: Specs, known: Sequence[PciAlias]) -> tuple[DeviceWish, ...]:
    """Raises BadRequest for a name that the operator has not defined, and for a malformed wish."""
    affinity = specs.one_of("pci_numa_affinity_policy", specs.alike("pci_numa_affinity_policy"), AFFINITIES)
    wishes = [_one(part.strip(), known, affinity) for part in _parts(specs.flavor)]
    return tuple(wishes)


def _parts(flavor: Mapping[str, str]) -> list[str]:
    return [part for part in flavor.get(KEY, "").split(",") if part.strip()]


def _one(part: str, known: Sequence[PciAlias], affinity: str | None) -> DeviceWish:
    name, _, count = part.rpartition(":")
    if not name or not count.isdecimal() or not 0 < int(count) <= 256:
        raise BadRequest(f"{part!r} is no PCI request: write alias:count, with a count from 1 to 256.")
    aliases = tuple(alias for alias in known if alias.name == name)
    if not aliases:
        raise BadRequest(f"PCI alias {name} is not defined.")
    policy = next((known for known in AFFINITIES if known == affinity), aliases[0].numa_policy)
    return DeviceWish(name, int(count), aliases, policy)
