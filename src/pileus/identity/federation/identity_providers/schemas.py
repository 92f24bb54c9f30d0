"""The bodies of identity providers."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset

RemoteIdText = Annotated[str, Meta(min_length=1, max_length=255)]
Minutes = Annotated[int, Meta(ge=0, le=525600)]


class IdentityProviderShape(Shape):
    domain_id: str | Unset | None = UNSET
    enabled: bool | Unset = UNSET
    description: str | Unset | None = UNSET
    remote_ids: list[RemoteIdText] | Unset | None = UNSET
    authorization_ttl: Minutes | Unset | None = UNSET


class IdentityProviderBody(Shape):
    identity_provider: IdentityProviderShape
