"""The body of a new trust."""

from typing import Annotated

from msgspec import Meta

from pileus.identity.held import RoleRef
from pileus.kernel.http.schema import UNSET, Shape, Unset

Count = Annotated[int, Meta(ge=0, le=1000)]
Uses = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class NewTrust(Shape):
    trustor_user_id: str
    trustee_user_id: str
    impersonation: bool
    project_id: str | Unset | None = UNSET
    roles: list[RoleRef] | Unset | None = UNSET
    expires_at: str | Unset | None = UNSET
    remaining_uses: Uses | Unset | None = UNSET
    allow_redelegation: bool | Unset | None = UNSET
    redelegation_count: Count | Unset | None = UNSET
    redelegated_trust_id: str | Unset | None = UNSET


class NewTrustBody(Shape):
    trust: NewTrust
