"""What is answered about credentials."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import OpenShape


class CredentialReply(OpenShape):
    id: str
    user_id: str
    project_id: str | None
    type: str
    blob: str
    links: SelfLink


CREDENTIAL, CREDENTIALS = one("credential", CredentialReply), many("credentials", CredentialReply)
