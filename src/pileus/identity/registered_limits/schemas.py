"""The bodies of registered limits."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset

Amount = Annotated[int, Meta(ge=-1, le=0x7FFFFFFF)]  # -1: any number
Id = Annotated[str, Meta(min_length=1, max_length=64)]
RegionId = Annotated[str, Meta(min_length=1, max_length=255)]
ResourceName = Annotated[str, Meta(min_length=1, max_length=255)]


class NewRegisteredLimit(Shape):
    service_id: Id
    resource_name: ResourceName
    default_limit: Amount
    region_id: RegionId | None = None
    description: str | None = None


class NewRegisteredLimitsBody(Shape):
    registered_limits: Annotated[list[NewRegisteredLimit], Meta(min_length=1)]


class UpdatedRegisteredLimit(Shape):
    service_id: Id | Unset = UNSET
    resource_name: ResourceName | Unset = UNSET
    default_limit: Amount | Unset = UNSET
    region_id: RegionId | Unset | None = UNSET
    description: str | Unset | None = UNSET


class UpdatedRegisteredLimitBody(Shape):
    registered_limit: UpdatedRegisteredLimit
