"""Whom identity providers know a user as: the attribute `federated` of users, and the filters by it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select

from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.login.models import FederatedUser
from pileus.identity.federation.protocols.models import Protocol
from pileus.identity.filters import Column
from pileus.identity.users.models import User
from pileus.identity.users.schemas import FederatedWith
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Filter


def known_as(column: Column) -> Filter:
    """Users whom a provider knows so."""

    def build(values: list[str]) -> ColumnElement[bool]:
        return User.id.in_(select(FederatedUser.user_id).where(column.in_(values)))

    return build


FILTERS: dict[str, Filter] = {
    "idp_id": known_as(FederatedUser.identity_provider_id),
    "protocol_id": known_as(FederatedUser.protocol_id),
    "unique_id": known_as(FederatedUser.unique_id),
}


def put(call: Call, user: User, given: Sequence[FederatedWith]) -> None:
    """In place of what was there. Whoever a provider proves to be one of these is this user from now on.

    Raises BadRequest for a provider or protocol that is not there, Conflict for somebody who is another user's, Forbidden for a
    provider of another domain unless an administrator asks.
    """
    call.db.execute(delete(FederatedUser).where(FederatedUser.user_id == user.id))
    for link in given:
        provider = call.db.get(IdentityProvider, link.idp_id)
        if provider is None:
            raise BadRequest(f"There is no identity provider {link.idp_id}.")
        if provider.domain_id != user.domain_id and not call.context.is_admin:
            raise Forbidden(f"Identity provider {link.idp_id} is for the users of another domain.")
        for way in link.protocols:
            key = (link.idp_id, way.protocol_id, way.unique_id)
            if call.db.get(Protocol, key[:2]) is None:
                raise BadRequest(f"Identity provider {link.idp_id} has no protocol {way.protocol_id}.")
            if call.db.get(FederatedUser, key) is not None:
                raise Conflict(f"{way.unique_id} of {link.idp_id}/{way.protocol_id} is a user already.")
            call.db.add(
                FederatedUser(
                    identity_provider_id=key[0],
                    protocol_id=key[1],
                    unique_id=key[2],
                    user_id=user.id,
                    display_name=user.name,
                )
            )
            call.db.flush()


def shown(call: Call, users: Sequence[User]) -> dict[str, Json]:
    """The attribute of those users who have it, by their ids: one query."""
    found: dict[str, dict[str, list[Json]]] = {}
    query = select(FederatedUser).where(FederatedUser.user_id.in_([user.id for user in users]))
    order = FederatedUser.identity_provider_id, FederatedUser.protocol_id, FederatedUser.unique_id
    for row in call.db.scalars(query.order_by(*order)) if users else ():
        ways = found.setdefault(row.user_id, {}).setdefault(row.identity_provider_id, [])
        ways.append({"protocol_id": row.protocol_id, "unique_id": row.unique_id})
    return {
        user_id: {"federated": [{"idp_id": idp_id, "protocols": ways} for idp_id, ways in providers.items()]}
        for user_id, providers in found.items()
    }
