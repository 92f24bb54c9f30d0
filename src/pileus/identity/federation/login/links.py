"""How the users API shows, takes and finds what identity providers call a user."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.login.models import FederatedUser
from pileus.identity.federation.protocols.models import Protocol
from pileus.identity.users.models import User
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Filter
from pileus.kernel.http.schema import Shape


class ProtocolLink(Shape):
    protocol_id: str
    unique_id: Annotated[str, Meta(min_length=1, max_length=255)]


class ProviderLink(Shape):
    """One item of a user's `federated`."""

    idp_id: str
    protocols: list[ProtocolLink]


def shown(db: Session, user_ids: Sequence[str]) -> dict[str, list[Json]]:
    """The attribute `federated` of those users who have one, by one query."""
    found: dict[str, dict[str, list[Json]]] = {}
    if user_ids:
        query = select(FederatedUser).where(FederatedUser.user_id.in_(user_ids))
        order = FederatedUser.identity_provider_id, FederatedUser.protocol_id, FederatedUser.unique_id
        for row in db.scalars(query.order_by(*order)):
            protocols = found.setdefault(row.user_id, {}).setdefault(row.identity_provider_id, [])
            protocols.append({"protocol_id": row.protocol_id, "unique_id": row.unique_id})
    return {
        user_id: [{"idp_id": idp_id, "protocols": protocols} for idp_id, protocols in providers.items()]
        for user_id, providers in found.items()
    }


def put(call: Call, user: User, given: Sequence[ProviderLink]) -> None:
    """These links and no others. Raises BadRequest (no such protocol), Conflict (somebody else's), Forbidden."""
    db = call.db
    db.execute(delete(FederatedUser).where(FederatedUser.user_id == user.id))
    for key in {(link.idp_id, each.protocol_id, each.unique_id) for link in given for each in link.protocols}:
        if db.get(Protocol, key[:2]) is None:
            raise BadRequest(f"There is no protocol {key[1]} of an identity provider {key[0]}.")
        provider = db.get(IdentityProvider, key[0])
        if not call.context.is_admin and (provider is None or provider.domain_id != user.domain_id):
            raise Forbidden(f"Only users of its own domain can be said to come from identity provider {key[0]}.")
        if db.get(FederatedUser, key) is not None:
            raise Conflict(f"{key[2]} of identity provider {key[0]} is another user already.")
        made = FederatedUser(identity_provider_id=key[0], protocol_id=key[1], unique_id=key[2])
        made.user_id, made.display_name = user.id, user.name
        db.add(made)
    db.flush()


def _having(column: InstrumentedAttribute[str]) -> Filter:
    def build(values: list[str]) -> ColumnElement[bool]:
        return User.id.in_(select(FederatedUser.user_id).where(column.in_(values)))

    return build


FILTERS: dict[str, Filter] = {
    "idp_id": _having(FederatedUser.identity_provider_id),
    "protocol_id": _having(FederatedUser.protocol_id),
    "unique_id": _having(FederatedUser.unique_id),
}
