"""Checks that a host passes or not, by upstream's names. Each says why not, for a person; None is yes.

`[compute] scheduler_filters` names those in use; `Placement` (room for what is asked) is always the last.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pileus.compute.scheduler.filters import aggregates, crowding, groups, hints, hosts, images, metrics, numa, pci
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.settings import ComputeSettings

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
    "AggregateMultiTenancyIsolation": aggregates.tenant_isolation,
    "AggregateTypeAffinityFilter": aggregates.type_affinity,
    "ServerGroupAffinityFilter": groups.affinity,
    "ServerGroupAntiAffinityFilter": groups.anti_affinity,
    "SameHostFilter": groups.same_host,
    "DifferentHostFilter": groups.different_host,
    "SimpleCIDRAffinityFilter": hints.cidr,
    "JsonFilter": hints.query,
    "PciPassthroughFilter": pci.passthrough,
    "NUMATopologyFilter": numa.topology,
    "Placement": hosts.resources,
}
# Those that the operator's settings say more about.
CONFIGURED: Mapping[str, Callable[[ComputeSettings, Request, HostState], Refusal | None]] = {
    "AggregateImagePropertiesIsolation": aggregates.image_isolation,
    "IsolatedHostsFilter": images.isolated_hosts,
    "IoOpsFilter": crowding.io_ops,
    "AggregateIoOpsFilter": crowding.aggregate_io_ops,
    "NumInstancesFilter": crowding.num_instances,
    "AggregateNumInstancesFilter": crowding.aggregate_num_instances,
    "MetricsFilter": metrics.reported,
}
NAMES = (*FILTERS, *CONFIGURED)
ALWAYS = (
    "ComputeFilter",
    "RequestedHost",
    "TraitsFilter",
    "PciPassthroughFilter",
    "NUMATopologyFilter",
    "Placement",
)
InUse = Sequence[tuple[str, Filter]]


def in_use(settings: ComputeSettings) -> InUse:
    """The checks that the settings name, in the tables' order, and those that always are; room is looked at last."""
    names = {*ALWAYS, *settings.scheduler_filters}
    if settings.metrics_weight_setting and settings.metrics_required:
        names.add("MetricsFilter")
    own = [(name, check) for name, check in FILTERS.items() if name in names and name != "Placement"]
    told = [(name, partial(check, settings)) for name, check in CONFIGURED.items() if name in names]
    return [*own, *told, ("Placement", FILTERS["Placement"])]


def refuse(checks: InUse, request: Request, state: HostState) -> tuple[str, Refusal] | None:
    """The first of the checks that says no, and why."""
    for name, check in checks:
        if (why := check(request, state)) is not None:
            return name, why
    return None
