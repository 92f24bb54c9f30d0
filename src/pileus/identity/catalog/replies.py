"""What is answered about services, endpoints, regions and endpoint groups."""

from typing import Literal

from pileus.identity.catalog.schemas import GroupFilters
from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset


class ServiceReply(OpenShape):
    id: str
    type: str
    name: str
    enabled: bool
    links: SelfLink
    description: str | Unset = UNSET


class EndpointReply(OpenShape):
    id: str
    service_id: str
    interface: Literal["public", "internal", "admin"]
    url: str
    region: str | None
    region_id: str | None
    enabled: bool
    links: SelfLink
    name: str | Unset = UNSET


class RegionReply(OpenShape):
    id: str
    parent_region_id: str | None
    description: str | None
    links: SelfLink


class EndpointGroupReply(Shape):
    id: str
    name: str
    description: str | None
    filters: GroupFilters
    links: SelfLink


_KINDS = {"service": ServiceReply, "endpoint": EndpointReply, "region": RegionReply}
ONE = {name: one(name, kind) for name, kind in _KINDS.items()}
MANY = {name: many(f"{name}s", kind) for name, kind in _KINDS.items()}
GROUP, GROUPS = one("endpoint_group", EndpointGroupReply), many("endpoint_groups", EndpointGroupReply)
