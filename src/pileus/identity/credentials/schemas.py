"""The bodies of credentials. Open: identity keeps attributes it does not know."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Type = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Id = Annotated[str, Meta(min_length=1, max_length=64)]


class NewCredential(OpenShape):
    """`blob` of type ec2 is a JSON object with `access` and `secret`, of type totp a Base32 secret, else any text."""

    type: Type
    blob: str
    user_id: Id
    project_id: Id | None = None


class NewCredentialBody(Shape):
    credential: NewCredential


class CredentialChange(OpenShape):
    """Only the blob (and attributes of the caller's own) can change; the rest may be repeated as it is."""

    type: Type | Unset = UNSET
    blob: str | Unset = UNSET
    user_id: Id | Unset = UNSET
    project_id: Id | Unset | None = UNSET


class CredentialChangeBody(Shape):
    credential: CredentialChange
