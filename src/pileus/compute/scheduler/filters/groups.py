"""Checks of where other servers are."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState


def affinity(request: Request, state: HostState) -> Refusal | None:
    group = request.group
    if group is None or group.policy != "affinity" or not group.hosts or state.host.name in group.hosts:
        return None
    return Refusal("is not the host of the other servers of the group")


def anti_affinity(request: Request, state: HostState) -> Refusal | None:
    group = request.group
    if group is None or group.policy != "anti-affinity":
        return None
    held = group.hosts.get(state.host.name, 0)
    return Refusal(f"has {held} of the group already") if held >= group.most_per_host else None


def same_host(request: Request, state: HostState) -> Refusal | None:
    if request.same_hosts is None or state.host.name in request.same_hosts:
        return None
    return Refusal("is not the host of the servers named in same_host")


def different_host(request: Request, state: HostState) -> Refusal | None:
    if state.host.name not in request.different_hosts:
        return None
    return Refusal("is the host of a server named in different_host")
