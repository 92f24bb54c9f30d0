from pileus.kernel.http.schema import UNSET, Shape, Unset
from pileus.network.ports.schemas import FixedIpShape


class Gateway(Shape):
    network_id: str | None = None
    enable_snat: bool | Unset = UNSET
    external_fixed_ips: list[FixedIpShape] | Unset = UNSET
    qos_policy_id: None | Unset = UNSET  # QoS is not served; clients send null


class Changes(Shape):
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    admin_state_up: bool | Unset = UNSET
    external_gateway_info: Gateway | None | Unset = UNSET
    routes: list[dict[str, str]] | None | Unset = UNSET
    distributed: bool | None | Unset = UNSET
    ha: bool | None | Unset = UNSET


class NewRouter(Changes):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    availability_zone_hints: list[str] | Unset = UNSET
    flavor_id: str | None | Unset = UNSET


class CreateBody(Shape):
    router: NewRouter | Unset = UNSET
    routers: list[NewRouter] | Unset = UNSET


class UpdateBody(Shape):
    router: Changes


class InterfaceBody(Shape):
    subnet_id: str | None = None
    port_id: str | None = None


class Routes(Shape):
    routes: list[dict[str, str]]


class RoutesBody(Shape):
    router: Routes
