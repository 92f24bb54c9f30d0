from pileus.kernel.http.schema import UNSET, Shape, Unset


class Changes(Shape):
    description: str | Unset = UNSET
    port_id: str | None | Unset = UNSET
    fixed_ip_address: str | None | Unset = UNSET


class NewFloatingIp(Changes, kw_only=True):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    floating_network_id: str
    floating_ip_address: str | None | Unset = UNSET
    subnet_id: str | None | Unset = UNSET
    dns_name: str | None | Unset = UNSET
    dns_domain: str | None | Unset = UNSET
    qos_policy_id: None | Unset = UNSET  # QoS is not served; clients send null


class CreateBody(Shape):
    floatingip: NewFloatingIp | Unset = UNSET
    floatingips: list[NewFloatingIp] | Unset = UNSET


class UpdateBody(Shape):
    floatingip: Changes
