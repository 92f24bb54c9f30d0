"""An overlay between hosts, told apart by a 24-bit network id."""

import random

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest
from pileus.network.drivers.types.base import Carrier
from pileus.network.networks.models import Segment
from pileus.network.settings import NetworkSettings

TRIES = 16
LARGEST = 2**24 - 1
_DICE = random.SystemRandom()


class Vxlan:
    name = "vxlan"
    overhead = 50  # Ethernet, IPv4, UDP and VXLAN headers

    def __init__(self, settings: NetworkSettings) -> None:
        self._ranges = [_range(text) for text in settings.vni_ranges]

    def provide(self, physical_network: str | None, segmentation_id: int | None) -> Carrier:
        if physical_network:
            message = "Invalid input for operation: provider:physical_network specified for vxlan network."
            raise BadRequest(message, kind="InvalidInput")
        if segmentation_id is None or not 1 <= segmentation_id <= LARGEST:
            message = f"Invalid input for operation: a vxlan network needs a segmentation_id from 1 to {LARGEST}."
            raise BadRequest(message, kind="InvalidInput")
        return Carrier(self.name, "", segmentation_id)

    def allocate(self, db: Session) -> Carrier | None:
        """A few ids at random, in one query; the whole set only when all of those are taken."""
        size = sum(len(part) for part in self._ranges)
        drawn = [self._at(index) for index in _DICE.sample(range(size), min(TRIES, size))]
        query = select(Segment.segmentation_id).where(Segment.network_type == self.name)
        taken = set(db.scalars(query.where(Segment.segmentation_id.in_(drawn))))
        free = next((vni for vni in drawn if vni not in taken), None)
        if free is None:
            taken = set(db.scalars(query))
            free = next((vni for part in self._ranges for vni in part if vni not in taken), None)
        return Carrier(self.name, "", free) if free is not None else None

    def _at(self, index: int) -> int:
        for part in self._ranges:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError(index)


def _range(text: str) -> range:
    first, _, last = text.partition(":")
    found = range(int(first), int(last or first) + 1)
    if not found or found[0] < 1 or found[-1] > LARGEST:
        raise ValueError(f"vni_ranges: {text!r} is not first:last within 1:{LARGEST}")
    return found
