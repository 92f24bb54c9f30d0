"""Body of POST /os-server-external-events (Compute API, Create external events)."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset

NAMES = Literal[
    "network-changed",
    "network-vif-plugged",
    "network-vif-unplugged",
    "network-vif-deleted",
    "volume-extended",
    "power-update",
    "accelerator-request-bound",
    "volume-reimaged",
]
SINCE = {
    "volume-extended": (2, 51),
    "power-update": (2, 76),
    "accelerator-request-bound": (2, 82),
    "volume-reimaged": (2, 93),
}


class Event(Shape):
    name: NAMES
    server_uuid: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$")]
    status: Literal["completed", "failed", "in-progress"] = "completed"
    tag: Annotated[str, Meta(max_length=255)] | Unset = UNSET


class EventsBody(Shape):
    events: Annotated[list[Event], Meta(min_length=1, max_length=1000)]
