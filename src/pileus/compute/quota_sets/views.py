"""Which quotas each microversion shows."""

from collections.abc import Mapping
from typing import TypeVar

from pileus.kernel.http.call import Call

T = TypeVar("T")
OF_NETWORK = ("fixed_ips", "floating_ips", "security_groups", "security_group_rules")
GROUPS = ("server_groups", "server_group_members")


def of_project(call: Call, values: Mapping[str, T], of_network: T) -> dict[str, T]:
    """`of_network` stands for the quotas that network keeps itself, which microversions to 2.35 show."""
    shown = _without_files(call, values)
    return shown if call.at_least(2, 36) else shown | dict.fromkeys(OF_NETWORK, of_network)


def of_class(call: Call, values: Mapping[str, int]) -> dict[str, int]:
    shown = _without_files(call, values)
    if call.at_least(2, 50):
        return shown
    return {k: v for k, v in shown.items() if k not in GROUPS} | dict.fromkeys(OF_NETWORK, -1)


def _without_files(call: Call, values: Mapping[str, T]) -> dict[str, T]:
    """Files are not injected from 2.57 on."""
    return {k: v for k, v in values.items() if not (call.at_least(2, 57) and k.startswith("injected_"))}
