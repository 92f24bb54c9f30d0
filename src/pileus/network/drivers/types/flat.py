"""Untagged on a physical network: one network for each, made by administrators."""

from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest
from pileus.network.drivers.types.base import Carrier
from pileus.network.settings import NetworkSettings


class Flat:
    name = "flat"
    overhead = 0

    def __init__(self, settings: NetworkSettings) -> None:
        self._known = settings.flat_networks

    def provide(self, physical_network: str | None, segmentation_id: int | None) -> Carrier:
        if not physical_network:
            raise BadRequest(
                "Invalid input for operation: physical_network required for flat provider network.", kind="InvalidInput"
            )
        if segmentation_id is not None:
            message = "Invalid input for operation: segmentation_id prohibited for flat provider network."
            raise BadRequest(message, kind="InvalidInput")
        if "*" not in self._known and physical_network not in self._known:
            message = (
                f"Invalid input for operation: physical_network {physical_network!r} unknown for flat provider network."
            )
            raise BadRequest(message, kind="InvalidInput")
        return Carrier(self.name, physical_network)

    def allocate(self, db: Session) -> Carrier | None:
        return None
