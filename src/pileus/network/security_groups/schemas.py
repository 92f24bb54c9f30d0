from pileus.kernel.http.schema import UNSET, Shape, Unset


class Changes(Shape):
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    stateful: bool | Unset = UNSET


class NewGroup(Changes):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET


class CreateBody(Shape):
    security_group: NewGroup | Unset = UNSET
    security_groups: list[NewGroup] | Unset = UNSET


class UpdateBody(Shape):
    security_group: Changes


class NewRule(Shape, kw_only=True):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    security_group_id: str
    direction: str
    ethertype: str | None = None
    protocol: str | int | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None
    remote_address_group_id: None = None  # address groups are not served; clients send null
    description: str | None | Unset = UNSET


class CreateRuleBody(Shape):
    security_group_rule: NewRule | Unset = UNSET
    security_group_rules: list[NewRule] | Unset = UNSET
