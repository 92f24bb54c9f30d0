"""The bodies of limits."""

from typing import Annotated

from msgspec import Meta

from pileus.identity.registered_limits.schemas import Amount, Id, RegionId, ResourceName
from pileus.kernel.http.schema import UNSET, Shape, Unset


class NewLimit(Shape):
    """Of a project or of a domain."""

    service_id: Id
    resource_name: ResourceName
    resource_limit: Amount
    project_id: Id | None = None
    domain_id: Id | None = None
    region_id: RegionId | None = None
    description: str | None = None


class NewLimitsBody(Shape):
    limits: Annotated[list[NewLimit], Meta(min_length=1)]


class UpdatedLimit(Shape):
    resource_limit: Amount | Unset = UNSET
    description: str | Unset | None = UNSET


class UpdatedLimitBody(Shape):
    limit: UpdatedLimit
