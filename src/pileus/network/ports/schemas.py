from typing import Any

from msgspec import field

from pileus.kernel.http.schema import UNSET, Shape, Unset


class FixedIpShape(Shape):
    subnet_id: str | None = None
    ip_address: str | None = None


class AddressPairShape(Shape):
    ip_address: str
    mac_address: str | None = None


class DhcpOptionShape(Shape):
    """`opt_value` None takes the option away."""

    opt_name: str
    opt_value: str | None = None
    ip_version: int = 4


class Changes(Shape):
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    admin_state_up: bool | Unset = UNSET
    device_id: str | None | Unset = UNSET
    device_owner: str | None | Unset = UNSET
    mac_address: str | None | Unset = UNSET
    fixed_ips: list[FixedIpShape] | None | Unset = UNSET
    security_groups: list[str] | None | Unset = UNSET
    port_security_enabled: bool | Unset = UNSET
    allowed_address_pairs: list[AddressPairShape] | None | Unset = UNSET
    extra_dhcp_opts: list[DhcpOptionShape] | None | Unset = UNSET
    dns_name: str | None | Unset = UNSET
    host_id: str | None | Unset = field(name="binding:host_id", default=UNSET)
    vnic_type: str | Unset = field(name="binding:vnic_type", default=UNSET)
    profile: dict[str, Any] | None | Unset = field(name="binding:profile", default=UNSET)


class NewPortShape(Changes, kw_only=True):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    network_id: str
    tags: list[str] | Unset = UNSET


class CreateBody(Shape):
    port: NewPortShape | Unset = UNSET
    ports: list[NewPortShape] | Unset = UNSET


class UpdateBody(Shape):
    port: Changes
