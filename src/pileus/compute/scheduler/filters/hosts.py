"""Checks of the host itself."""

from pileus.compute.scheduler import requirements
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState

SCOPE = "capabilities:"


def compute(request: Request, state: HostState) -> Refusal | None:
    host = state.host
    if host.disabled:
        return Refusal("is disabled", host.disabled_reason or "")
    return None if host.up else Refusal("is down")


def requested(request: Request, state: HostState) -> Refusal | None:
    wanted = request.host or request.hypervisor_hostname
    return None if wanted in (None, state.host.name) else Refusal(f"is not the requested host {wanted}")


def capabilities(request: Request, state: HostState) -> Refusal | None:
    """Extra specs `capabilities:<name>` and those without a scope, against what the host says of itself."""
    known = capabilities_of(state)
    for key, requirement in request.extra_specs.items():
        name = key.removeprefix(SCOPE)
        if ":" in name and not key.startswith(SCOPE):
            continue
        value = known.get(name)
        if value is None:
            return Refusal(f"says nothing of the capability {name}")
        if not requirements.met(value, requirement):
            return Refusal(f"lacks the capability {name} {requirement}", f"it has {value}")
    return None


def capabilities_of(state: HostState) -> dict[str, str]:
    """By the names that upstream's flavors use; parts of `cpu_info` with colons between."""
    host = state.host
    known = {
        "hypervisor_type": host.hypervisor_type,
        "hypervisor_version": str(host.hypervisor_version),
        "hypervisor_hostname": host.name,
        "host": host.name,
        "vcpus_total": str(host.vcpus),
        "vcpus_used": str(state.used("VCPU")),
        "total_usable_ram_mb": str(host.memory_mb),
        "free_ram_mb": str(state.free("MEMORY_MB")),
        "free_disk_mb": str(state.free("DISK_GB") * 1024),
        "total_usable_disk_gb": str(host.disk_gb),
        "num_instances": str(state.servers),
        "num_io_ops": str(state.io_ops),
        "host_ip": host.address,
    }
    return known | {f"cpu_info:{name}": str(value) for name, value in host.cpu_info.items()}


def traits(request: Request, state: HostState) -> Refusal | None:
    for key, value in {**request.image_properties, **request.extra_specs}.items():
        if not key.startswith("trait:"):
            continue
        trait = key.removeprefix("trait:")
        if value == "required" and trait not in state.supply.traits:
            return Refusal(f"lacks trait {trait}")
        if value == "forbidden" and trait in state.supply.traits:
            return Refusal(f"has forbidden trait {trait}")
    return None


def resources(request: Request, state: HostState) -> Refusal | None:
    short = state.supply.shortage(request.resources)
    if short is not None:
        return Refusal(f"lacks {short.amount} {short.resource_class}", short.fact)
    return None if state.lacking is None else Refusal(f"has no parts that give {state.lacking}")
