"""Checks that a host passes or not, by upstream's names. Each says why not, for a person."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pileus.compute.hosts.models import Host
from pileus.compute.server_groups.membership import GroupFacts
from pileus.placement.internal import Supply

ARCHITECTURE = "hw_architecture"
HYPERVISOR = "img_hv_type"


class Request(NamedTuple):
    """What a new server needs: resources by class, and what narrows the choice of hosts."""

    resources: Mapping[str, int]
    image_properties: Mapping[str, str]
    extra_specs: Mapping[str, str]
    availability_zone: str | None = None
    host: str | None = None
    hypervisor_hostname: str | None = None
    group: GroupFacts | None = None
    same_hosts: frozenset[str] | None = None  # where the servers of the hint `same_host` are
    different_hosts: frozenset[str] = frozenset()  # where those of `different_host` are

    def names(self) -> frozenset[str] | None:
        """The only hosts that can pass, when the request names them in any way; None: any."""
        sets = [frozenset((name,)) for name in (self.host, self.hypervisor_hostname) if name]
        sets += [self.same_hosts] if self.same_hosts is not None else []
        if self.group is not None and self.group.policy == "affinity" and self.group.hosts:
            sets.append(frozenset(self.group.hosts))
        return frozenset.intersection(*sets) if sets else None


Filter = Callable[[Request, Host, Supply], str | None]


def compute(request: Request, host: Host, supply: Supply) -> str | None:
    if host.disabled:
        return "is disabled" + (f" ({host.disabled_reason})" if host.disabled_reason else "")
    return None if host.up else "is down"


def requested_host(request: Request, host: Host, supply: Supply) -> str | None:
    wanted = request.host or request.hypervisor_hostname
    return None if wanted in (None, host.name) else f"is not the requested host {wanted}"


def availability_zone(request: Request, host: Host, supply: Supply) -> str | None:
    if request.availability_zone in (None, host.availability_zone):
        return None
    return f"is not in availability zone {request.availability_zone}"


def image_properties(request: Request, host: Host, supply: Supply) -> str | None:
    kind = request.image_properties.get(HYPERVISOR)
    if kind and host.hypervisor_type != "fake" and kind.lower() not in (host.hypervisor_type.lower(), "qemu"):
        return f"runs {host.hypervisor_type}, the image asks for {kind}"
    arch = request.image_properties.get(ARCHITECTURE)
    if arch and arch != host.cpu_info.get("arch", "x86_64"):
        return f"is {host.cpu_info.get('arch', 'x86_64')}, the image asks for {arch}"
    return None


def traits(request: Request, host: Host, supply: Supply) -> str | None:
    for key, value in {**request.image_properties, **request.extra_specs}.items():
        if not key.startswith("trait:"):
            continue
        trait = key.removeprefix("trait:")
        if value == "required" and trait not in supply.traits:
            return f"lacks trait {trait}"
        if value == "forbidden" and trait in supply.traits:
            return f"has forbidden trait {trait}"
    return None


def affinity(request: Request, host: Host, supply: Supply) -> str | None:
    group = request.group
    if group is None or group.policy != "affinity" or not group.hosts or host.name in group.hosts:
        return None
    return "is not the host of the other servers of the group"


def anti_affinity(request: Request, host: Host, supply: Supply) -> str | None:
    group = request.group
    if group is None or group.policy != "anti-affinity":
        return None
    held = group.hosts.get(host.name, 0)
    return f"has {held} of the group already, {group.most_per_host} allowed" if held >= group.most_per_host else None


def same_host(request: Request, host: Host, supply: Supply) -> str | None:
    if request.same_hosts is None or host.name in request.same_hosts:
        return None
    return "is not the host of the servers named in same_host"


def different_host(request: Request, host: Host, supply: Supply) -> str | None:
    return "is the host of a server named in different_host" if host.name in request.different_hosts else None


def resources(request: Request, host: Host, supply: Supply) -> str | None:
    return supply.shortage(request.resources)


FILTERS: dict[str, Filter] = {
    "ComputeFilter": compute,
    "RequestedHost": requested_host,
    "AvailabilityZoneFilter": availability_zone,
    "ImagePropertiesFilter": image_properties,
    "TraitsFilter": traits,
    "ServerGroupAffinityFilter": affinity,
    "ServerGroupAntiAffinityFilter": anti_affinity,
    "SameHostFilter": same_host,
    "DifferentHostFilter": different_host,
    "Placement": resources,
}


def preference(request: Request, host: Host) -> int:
    """How much a soft policy of the group is for this host: more is better, 0 without one."""
    if request.group is None:
        return 0
    held = request.group.hosts.get(host.name, 0)
    return {"soft-affinity": held, "soft-anti-affinity": -held}.get(request.group.policy, 0)
