"""Bodies of the server group operations (Compute API, Server groups)."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, since, until

Policy = Literal["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"]
Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]


class Rules(Shape):
    max_server_per_host: Annotated[int, Meta(ge=1)] | Unset = UNSET


class NewGroup(Shape):
    name: Name
    policies: Annotated[Annotated[list[Policy], Meta(min_length=1, max_length=1)] | Unset, until("2.63")] = UNSET
    policy: Annotated[Policy | Unset, since("2.64")] = UNSET
    rules: Annotated[Rules | Unset, since("2.64")] = UNSET


class NewGroupBody(Shape):
    server_group: NewGroup
