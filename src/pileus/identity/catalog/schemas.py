"""The bodies of services, endpoints and regions, which are open (identity keeps attributes it does not know), and of endpoint groups."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Interface = Literal["public", "internal", "admin"]
Type = Annotated[str, Meta(min_length=1, max_length=255)]
Text255 = Annotated[str, Meta(max_length=255)]
Address = Annotated[str, Meta(min_length=1, max_length=2048, pattern=r"^[a-z][a-z0-9+.-]*://")]
RegionId = Annotated[str, Meta(max_length=255, pattern=r"^[^/]*$")]


class ServiceShape(OpenShape):
    """Of a new service and of a change; `type` is checked by the handler of the first."""

    type: Type | Unset = UNSET
    name: Text255 | Unset | None = UNSET
    description: str | Unset | None = UNSET
    enabled: bool | Unset = UNSET


class ServiceBody(Shape):
    service: ServiceShape


class EndpointShape(OpenShape):
    service_id: str | Unset = UNSET
    interface: Interface | Unset = UNSET
    url: Address | Unset = UNSET
    region_id: RegionId | Unset | None = UNSET
    region: RegionId | Unset | None = UNSET
    name: Text255 | Unset | None = UNSET
    enabled: bool | Unset = UNSET


class EndpointBody(Shape):
    endpoint: EndpointShape


class RegionShape(OpenShape):
    id: RegionId | Unset | None = UNSET
    parent_region_id: RegionId | Unset | None = UNSET
    description: str | Unset | None = UNSET


class RegionBody(Shape):
    region: RegionShape


class GroupFilters(Shape):
    """What all endpoints of a group have. In a change, null takes a filter away."""

    service_id: str | Unset | None = UNSET
    region_id: str | Unset | None = UNSET
    interface: Interface | Unset | None = UNSET
    enabled: bool | Unset | None = UNSET


class NewGroup(Shape):
    name: Type
    filters: GroupFilters
    description: str | None = None


class NewGroupBody(Shape):
    endpoint_group: NewGroup


class UpdatedGroup(Shape):
    """What is null stays as it is, for clients that send all of it."""

    name: Type | None = None
    description: str | None = None
    filters: GroupFilters | None = None


class UpdatedGroupBody(Shape):
    endpoint_group: UpdatedGroup
