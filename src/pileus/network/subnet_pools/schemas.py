from pileus.kernel.http.schema import UNSET, Shape, Unset


class Changes(Shape):
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    prefixes: list[str] | Unset = UNSET
    default_prefixlen: int | None | Unset = UNSET
    min_prefixlen: int | None | Unset = UNSET
    max_prefixlen: int | None | Unset = UNSET
    default_quota: int | None | Unset = UNSET
    is_default: bool | Unset = UNSET
    address_scope_id: None | Unset = UNSET  # address scopes are not served; clients send null


class NewPool(Changes):
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    shared: bool | Unset = UNSET


class CreateBody(Shape):
    subnetpool: NewPool | Unset = UNSET
    subnetpools: list[NewPool] | Unset = UNSET


class UpdateBody(Shape):
    subnetpool: Changes
