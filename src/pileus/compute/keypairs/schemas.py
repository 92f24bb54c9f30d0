"""Bodies of the key pair operations (Compute API, Keypairs)."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, since


class NewKeypair(Shape):
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    public_key: Annotated[str, Meta(max_length=65535)] | Unset | None = UNSET
    type: Annotated[Literal["ssh", "x509"] | Unset, since("2.2")] = UNSET
    user_id: Annotated[Annotated[str, Meta(min_length=1, max_length=64)] | Unset, since("2.10")] = UNSET


class NewKeypairBody(Shape):
    keypair: NewKeypair
