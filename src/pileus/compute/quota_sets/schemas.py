"""Bodies of the quota operations (Compute API, Quota sets and Quota class sets).

The network quotas are accepted where old microversions know them, and change nothing: network keeps its own.
"""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, until

Limit = Annotated[int, Meta(ge=-1, le=0x7FFFFFFF)]


class Limits(Shape):
    instances: Limit | Unset = UNSET
    cores: Limit | Unset = UNSET
    ram: Limit | Unset = UNSET
    metadata_items: Limit | Unset = UNSET
    key_pairs: Limit | Unset = UNSET
    server_groups: Limit | Unset = UNSET
    server_group_members: Limit | Unset = UNSET
    injected_files: Annotated[Limit | Unset, until("2.56")] = UNSET
    injected_file_content_bytes: Annotated[Limit | Unset, until("2.56")] = UNSET
    injected_file_path_bytes: Annotated[Limit | Unset, until("2.56")] = UNSET


class QuotaSet(Limits):
    force: bool = False
    fixed_ips: Annotated[Limit | Unset, until("2.35")] = UNSET
    floating_ips: Annotated[Limit | Unset, until("2.35")] = UNSET
    security_groups: Annotated[Limit | Unset, until("2.35")] = UNSET
    security_group_rules: Annotated[Limit | Unset, until("2.35")] = UNSET


class QuotaSetBody(Shape):
    quota_set: QuotaSet


class QuotaClassSet(Limits):
    fixed_ips: Annotated[Limit | Unset, until("2.49")] = UNSET
    floating_ips: Annotated[Limit | Unset, until("2.49")] = UNSET
    security_groups: Annotated[Limit | Unset, until("2.49")] = UNSET
    security_group_rules: Annotated[Limit | Unset, until("2.49")] = UNSET


class QuotaClassSetBody(Shape):
    quota_class_set: QuotaClassSet


def given(limits: Limits, names: tuple[str, ...]) -> dict[str, int]:
    """Those of `names` that the request sets."""
    held = {name: getattr(limits, name) for name in names}
    return {name: value for name, value in held.items() if not isinstance(value, Unset)}
