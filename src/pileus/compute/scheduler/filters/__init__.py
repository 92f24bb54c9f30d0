"""Checks that a host passes or not, by upstream's names. Each says why not, for a person; None is yes.

`[compute] scheduler_filters` names those in use; `Placement` (room for what is asked) is always the last.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from pileus.compute.scheduler.filters import aggregates, groups, hints, hosts, images
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState

Filter = Callable[[Request, HostState], Refusal | None]

FILTERS: Mapping[str, Filter] = {
    "AllHostsFilter": lambda request, state: None,
    "ComputeFilter": hosts.compute,
    "RequestedHost": hosts.requested,
    "AvailabilityZoneFilter": aggregates.availability_zone,
    "ComputeCapabilitiesFilter": hosts.capabilities,
    "ImagePropertiesFilter": images.properties,
    "TraitsFilter": hosts.traits,
    "AggregateInstanceExtraSpecsFilter": aggregates.extra_specs,
    "AggregateImagePropertiesIsolation": aggregates.image_isolation,
    "AggregateMultiTenancyIsolation": aggregates.tenant_isolation,
    "AggregateTypeAffinityFilter": aggregates.type_affinity,
    "ServerGroupAffinityFilter": groups.affinity,
    "ServerGroupAntiAffinityFilter": groups.anti_affinity,
    "SameHostFilter": groups.same_host,
    "DifferentHostFilter": groups.different_host,
    "SimpleCIDRAffinityFilter": hints.cidr,
    "JsonFilter": hints.query,
    "IoOpsFilter": hosts.io_ops,
    "NumInstancesFilter": hosts.num_instances,
    "Placement": hosts.resources,
}
ALWAYS = ("ComputeFilter", "RequestedHost", "TraitsFilter", "Placement")


def refuse(names: Sequence[str], request: Request, state: HostState) -> tuple[str, Refusal] | None:
    """The first check in the table's order that says no, and why."""
    for name, check in _used(tuple(names)):
        if (why := check(request, state)) is not None:
            return name, why
    return None


@cache
def _used(names: tuple[str, ...]) -> tuple[tuple[str, Filter], ...]:
    return tuple((name, check) for name, check in FILTERS.items() if name in ALWAYS or name in names)
