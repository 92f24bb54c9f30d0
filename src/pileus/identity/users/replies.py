"""What is answered about users."""

from pileus.identity.replies import SelfLink, many, one
from pileus.identity.users.schemas import FederatedWith
from pileus.kernel.http.schema import UNSET, OpenShape, Unset


class UserReply(OpenShape):
    """Never a password, nor anything made from it."""

    id: str
    name: str
    domain_id: str
    enabled: bool
    password_expires_at: str | None
    options: dict[str, object]
    links: SelfLink
    default_project_id: str | Unset = UNSET
    description: str | Unset = UNSET
    federated: list[FederatedWith] | Unset = UNSET


USER, USERS = one("user", UserReply), many("users", UserReply)
