"""Checks that a host passes or not, by upstream's names. Each says why not, for a person."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pileus.compute.hosts.models import Host
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


def resources(request: Request, host: Host, supply: Supply) -> str | None:
    return supply.shortage(request.resources)


FILTERS: dict[str, Filter] = {
    "ComputeFilter": compute,
    "RequestedHost": requested_host,
    "AvailabilityZoneFilter": availability_zone,
    "ImagePropertiesFilter": image_properties,
    "TraitsFilter": traits,
    "Placement": resources,
}
