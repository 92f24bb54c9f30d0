"""Check of what a host reports of its load."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.settings import ComputeSettings


def reported(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    """Every metric that `metrics_weight_setting` weighs; in use by itself while `metrics_required` is true."""
    missing = sorted(settings.metrics_weight_setting.keys() - state.host.metrics.keys())
    return Refusal(f"does not report {', '.join(missing)}") if missing else None
