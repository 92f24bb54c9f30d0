from msgspec import field

from pileus.kernel.http.schema import UNSET, Shape, Unset


class Attributes(Shape):
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    admin_state_up: bool | Unset = UNSET
    shared: bool | Unset = UNSET
    external: bool | Unset = field(name="router:external", default=UNSET)
    is_default: bool | Unset = UNSET
    mtu: int | None | Unset = UNSET
    port_security_enabled: bool | Unset = UNSET
    dns_domain: str | Unset = UNSET
    network_type: str | None | Unset = field(name="provider:network_type", default=UNSET)
    physical_network: str | None | Unset = field(name="provider:physical_network", default=UNSET)
    segmentation_id: int | None | Unset = field(name="provider:segmentation_id", default=UNSET)


class NewNetwork(Attributes):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    availability_zone_hints: list[str] | Unset = UNSET


class CreateBody(Shape):
    network: NewNetwork | Unset = UNSET
    networks: list[NewNetwork] | Unset = UNSET


class UpdateBody(Shape):
    network: Attributes
