"""Reading credentials: who sees which."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select

from pileus.identity import lookup
from pileus.identity.credentials import delegated
from pileus.identity.credentials.models import Credential
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Listing, exact

CREDENTIALS = Listing(
    model=Credential,
    key=Credential.id,
    filters={"user_id": exact(Credential.user_id), "type": exact(Credential.type)},
    sort={"id": Credential.id, "type": Credential.type},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


@dataclass(frozen=True)
class Owner:
    """Whose credentials a request is about, as policy sees it."""

    user_id: str

    def policy_target(self) -> dict[str, object]:
        return {"target.credential.user_id": self.user_id}


@dataclass(frozen=True)
class Held:
    """A credential. To a delegated token its user's other credentials are a stranger's."""

    row: Credential
    own: bool

    def policy_target(self) -> dict[str, object]:
        return Owner(self.row.user_id).policy_target() if self.own else {}


def owner(call: Call) -> Owner:
    """For the `load` of a new credential: the user that the body names."""
    return Owner(call.body["credential"]["user_id"])


def caller(call: Call) -> Owner:
    return Owner(str(call.context.user_id))


def held(call: Call, row: Credential) -> Held:
    """Raises nothing: the rule of the route decides."""
    return Held(row, not call.context.delegated or row.delegation == delegated.delegation(call))


def credential(call: Call, credential_id: str) -> Held:
    """For a `load`. Raises NotFound, or Forbidden for those who may not know that it is missing."""
    return held(call, lookup.find(call, Credential, credential_id, "Credential"))


def visible(call: Call) -> Select[Credential]:
    """All to those whom the rule of the list lets see any, else the caller's own."""
    query = select(Credential)
    return query if call.allows(call.route.policy, {}) else query.where(*mine(call, str(call.context.user_id)))


def mine(call: Call, user_id: str) -> list[ColumnElement[bool]]:
    """The user's own; for a delegated token those made with that delegation."""
    terms: list[ColumnElement[bool]] = [Credential.user_id == user_id]
    if (given := delegated.delegation(call)) is not None:
        terms += [Credential.delegation_kind == given.kind, Credential.delegation_id == given.id]
    return terms
