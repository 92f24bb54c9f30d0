"""Checks of how many servers a host has, and how many of them it is busy with."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.settings import ComputeSettings


def io_ops(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    """Servers that are being built, rebuilt, resized, moved, rescued, unshelved or copied at once."""
    return _busy(state, settings.max_io_ops_per_host)


def aggregate_io_ops(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    """As many as the aggregates' `max_io_ops_per_host` says (the least of several), else the setting."""
    return _busy(state, _least(state, "max_io_ops_per_host", settings.max_io_ops_per_host))


def num_instances(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    return _full(state, settings.max_instances_per_host)


def aggregate_num_instances(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    """As many as the aggregates' `max_instances_per_host` says (the least of several), else the setting."""
    return _full(state, _least(state, "max_instances_per_host", settings.max_instances_per_host))


def _busy(state: HostState, most: int) -> Refusal | None:
    return Refusal("is busy", f"with {state.io_ops} servers, {most} allowed") if state.io_ops >= most else None


def _full(state: HostState, most: int) -> Refusal | None:
    return Refusal("is full", f"with {state.servers} servers, {most} allowed") if state.servers >= most else None


def _least(state: HostState, key: str, usual: int) -> int:
    told = [int(value) for value in state.values(key) if value.isdecimal()]
    return min(told, default=usual)
