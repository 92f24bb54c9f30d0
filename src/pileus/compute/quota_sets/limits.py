"""What a project may have, by the API's names; unified limits have their own."""

from collections.abc import Sequence

from pileus.compute.settings import ComputeSettings
from pileus.kernel import quotas
from pileus.kernel.http.call import Call
from pileus.kernel.quotas import Bound, Quotas

QUOTAS = Quotas(
    "compute",
    {
        "instances": "servers",
        "cores": "class:VCPU",
        "ram": "class:MEMORY_MB",
        "metadata_items": "server_metadata_items",
        "key_pairs": "server_key_pairs",
        "injected_files": "server_injected_files",
        "injected_file_content_bytes": "server_injected_file_content_bytes",
        "injected_file_path_bytes": "server_injected_file_path_bytes",
    },
)


def bounds_of(call: Call, project_id: str) -> Sequence[Bound]:
    """The project's own limits first, then what it has together with others. -1 is any number."""
    return quotas.bounds(call.db, QUOTAS, project_id, call.cloud.settings(ComputeSettings).quotas())


def limits_of(call: Call, project_id: str) -> dict[str, int]:
    return bounds_of(call, project_id)[0].limits
