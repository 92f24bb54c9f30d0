"""The bodies of the EC2 and S3 operations."""

from typing import Annotated

from msgspec import Meta, field

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Id = Annotated[str, Meta(min_length=1, max_length=64)]


class SignedRequest(OpenShape):
    """A request to an EC2 API as its service got it. `body_hash`: SHA-256 (hex) of its body, for version 4."""

    access: str
    signature: str
    host: str = ""
    verb: str = "GET"
    path: str = "/"
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body_hash: str | None = None


class SignedRequestBody(OpenShape):
    """One of the two names, which mean the same."""

    credentials: SignedRequest | Unset = UNSET
    ec2_credentials: SignedRequest | Unset = field(default=UNSET, name="ec2Credentials")


class SignedString(OpenShape):
    """A request to S3: `token` is the Base64 of the string that was signed."""

    access: str
    token: str
    signature: str


class SignedStringBody(OpenShape):
    credentials: SignedString


class NewKeyPair(Shape):
    tenant_id: Id
