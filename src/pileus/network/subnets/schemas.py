from pileus.kernel.http.schema import UNSET, Shape, Unset

Pairs = list[dict[str, str]]


class Changes(Shape):
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    gateway_ip: str | None | Unset = UNSET
    enable_dhcp: bool | Unset = UNSET
    allocation_pools: Pairs | None | Unset = UNSET
    dns_nameservers: list[str] | None | Unset = UNSET
    host_routes: Pairs | None | Unset = UNSET
    service_types: list[str] | Unset = UNSET
    dns_publish_fixed_ip: bool | Unset = UNSET


class NewSubnet(Changes, kw_only=True):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    network_id: str
    cidr: str | None | Unset = UNSET
    ip_version: int | Unset = UNSET
    ipv6_ra_mode: str | None | Unset = UNSET
    ipv6_address_mode: str | None | Unset = UNSET
    subnetpool_id: str | None | Unset = UNSET
    use_default_subnetpool: bool | Unset = UNSET
    prefixlen: int | None | Unset = UNSET


class CreateBody(Shape):
    subnet: NewSubnet | Unset = UNSET
    subnets: list[NewSubnet] | Unset = UNSET


class UpdateBody(Shape):
    subnet: Changes
