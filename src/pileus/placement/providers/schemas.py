"""What callers send to make and change resource providers."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, since
from pileus.placement.names import Uuid

ProviderName = Annotated[str, Meta(min_length=1, max_length=200)]


class ProviderChange(Shape, kw_only=True):
    name: ProviderName
    parent_provider_uuid: Annotated[Uuid | None | Unset, since("1.14")] = UNSET


class NewProvider(ProviderChange, kw_only=True):
    uuid: Uuid | Unset = UNSET
