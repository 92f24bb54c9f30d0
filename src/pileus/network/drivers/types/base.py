"""ML2 type drivers: how a network is told apart from others on the wire. They run in the API, on its transaction."""

from importlib import import_module
from importlib.metadata import entry_points
from typing import NamedTuple, Protocol

from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest, Conflict
from pileus.network.settings import NetworkSettings


class Carrier(NamedTuple):
    """What carries a network. Empty and 0: this type has none."""

    network_type: str
    physical_network: str = ""
    segmentation_id: int = 0


class TypeDriver(Protocol):
    """`overhead` is what the type takes from the physical MTU, in bytes."""

    name: str
    overhead: int

    def __init__(self, settings: NetworkSettings) -> None: ...

    def provide(self, physical_network: str | None, segmentation_id: int | None) -> Carrier:
        """The carrier an administrator asked for. Raises BadRequest. Whether it is free is the database's word."""

    def allocate(self, db: Session) -> Carrier | None:
        """A free carrier for a project's network; None when there is none left (or the type needs an administrator)."""


class TypeDriverFactory(Protocol):
    def __call__(self, settings: NetworkSettings) -> TypeDriver: ...


DRIVERS = {"flat": "pileus.network.drivers.types.flat:Flat", "vxlan": "pileus.network.drivers.types.vxlan:Vxlan"}


def load(name: str, settings: NetworkSettings) -> TypeDriver:
    """By the table above, or a third party's entry point in `pileus.network.types`."""
    if name not in settings.type_drivers:
        raise BadRequest(
            f"network_type {name!r} is not supported; this cloud has {', '.join(settings.type_drivers)}.",
            kind="InvalidInput",
        )
    if name in DRIVERS:
        module, _, attribute = DRIVERS[name].partition(":")
        factory: TypeDriverFactory = getattr(import_module(module), attribute)
        return factory(settings)
    for entry in entry_points(group="pileus.network.types", name=name):
        third: TypeDriverFactory = entry.load()
        return third(settings)
    raise BadRequest(
        f"network_type {name!r} is configured, but no driver of that name is installed.", kind="InvalidInput"
    )


def choose(db: Session, settings: NetworkSettings) -> tuple[Carrier, int]:
    """A free carrier of the first type of project networks that has one, and its MTU."""
    for name in settings.tenant_network_types:
        driver = load(name, settings)
        carrier = driver.allocate(db)
        if carrier is not None:
            return carrier, settings.mtu - driver.overhead
    raise Conflict(
        "Unable to create the network. No tenant network is available for allocation.", kind="NoNetworkAvailable"
    )
