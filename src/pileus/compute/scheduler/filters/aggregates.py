"""Checks of the aggregates that a host is in: zones, and hosts kept for some projects, flavors or images."""

from pileus.compute.scheduler import requirements
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.settings import ComputeSettings

SPECS = "aggregate_instance_extra_specs:"
TENANTS = "filter_tenant_id"
TYPES = "instance_type"


def availability_zone(request: Request, state: HostState) -> Refusal | None:
    if request.availability_zone in (None, state.host.availability_zone):
        return None
    return Refusal(
        f"is not in availability zone {request.availability_zone}", f"it is in {state.host.availability_zone}"
    )


def extra_specs(request: Request, state: HostState) -> Refusal | None:
    """Extra specs with the scope of aggregates, and those without any, must be met by the aggregates' metadata."""
    for key, requirement in request.extra_specs.items():
        name = key.removeprefix(SPECS)
        if ":" in name and not key.startswith(SPECS):
            continue
        if not any(requirements.met(value, requirement) for value in state.values(name)):
            return Refusal(f"is in no aggregate with {name} {requirement}")
    return None


def image_isolation(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    """A property that both an aggregate and the image have must be the same. With a namespace only keys in it count."""
    namespace = settings.aggregate_image_properties_isolation_namespace
    prefix = namespace + settings.aggregate_image_properties_isolation_separator if namespace else ""
    for key, value in request.image_properties.items():
        told = state.values(key) if key.startswith(prefix) else set()
        if told and value not in told:
            return Refusal(f"is kept for images with another {key}", ", ".join(sorted(told)))
    return None


def tenant_isolation(request: Request, state: HostState) -> Refusal | None:
    """Keys `filter_tenant_id…` keep a host for the projects that they name."""
    keys = {key for meta in state.aggregates for key in meta if key.startswith(TENANTS)}
    told = {project for key in keys for project in state.values(key)}
    if not told or request.project_id in told:
        return None
    return Refusal("is kept for other projects", ", ".join(sorted(told)))


def type_affinity(request: Request, state: HostState) -> Refusal | None:
    told = state.values(TYPES)
    if not told or request.flavor_name in told:
        return None
    return Refusal("is kept for other flavors", ", ".join(sorted(told)))
