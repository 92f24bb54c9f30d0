"""The control plane's half of the ML2 mechanisms: what a port on a host looks like to whoever plugs it there."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from pileus.network.drivers.types.base import Carrier

UNBOUND, FAILED = "unbound", "binding_failed"


class Binding(NamedTuple):
    """`vif_type` and `vif_details` as the ports API shows them to administrators."""

    vif_type: str
    vif_details: dict[str, Any]


class Mechanism(Protocol):
    """A host says which mechanism it runs. Open vSwitch is one more entry in the table below."""

    def bind(self, carrier: Carrier, vnic_type: str, physical_networks: list[str]) -> Binding | None:
        """How the port is plugged on a host with these physical networks; None when this mechanism can not."""


class Bridged:
    """A tap on a bridge of the host, filtered there."""

    def __init__(self, name: str, vif_type: str) -> None:
        self._name = name
        self._vif_type = vif_type

    def bind(self, carrier: Carrier, vnic_type: str, physical_networks: list[str]) -> Binding | None:
        if vnic_type != "normal" or (carrier.physical_network and carrier.physical_network not in physical_networks):
            return None
        return Binding(self._vif_type, {"port_filter": True, "connectivity": "l2", "bound_drivers": {"0": self._name}})


MECHANISMS: Mapping[str, Mechanism] = {"linuxbridge": Bridged("linuxbridge", "bridge"), "fake": Bridged("fake", "tap")}
