"""The bodies of policies. Open: identity keeps attributes it does not know."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Type = Annotated[str, Meta(min_length=1, max_length=255)]
Blob = str | dict[str, object] | list[object]


class NewPolicy(OpenShape):
    type: Type
    blob: Blob


class NewPolicyBody(Shape):
    policy: NewPolicy


class UpdatedPolicy(OpenShape):
    type: Type | Unset = UNSET
    blob: Blob | Unset = UNSET


class UpdatedPolicyBody(Shape):
    policy: UpdatedPolicy
