"""Writes of identity providers, and what ends with them."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.identity.federation.identity_providers.models import IdentityProvider, RemoteId
from pileus.identity.federation.login.models import ExpiringMembership, FederatedUser
from pileus.identity.projects import actions as projects
from pileus.identity.projects.models import Project
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import Conflict, NotFound
from pileus.kernel.http.call import Call


def remote_ids(db: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """Of several providers by one query."""
    found: dict[str, list[str]] = {identifier: [] for identifier in ids}
    if ids:
        query = select(RemoteId.identity_provider_id, RemoteId.remote_id)
        query = query.where(RemoteId.identity_provider_id.in_(ids))
        for provider_id, remote_id in db.execute(query.order_by(RemoteId.remote_id)):
            found[provider_id].append(remote_id)
    return found


def set_remote_ids(db: Session, provider: IdentityProvider, names: Sequence[str]) -> None:
    """Raises Conflict for one that another provider has."""
    wanted = list(dict.fromkeys(names))
    others = select(RemoteId).where(RemoteId.remote_id.in_(wanted), RemoteId.identity_provider_id != provider.id)
    if wanted and (taken := db.scalars(others).first()) is not None:
        raise Conflict(f"Identity provider {taken.identity_provider_id} has the remote id {taken.remote_id} already.")
    db.execute(delete(RemoteId).where(RemoteId.identity_provider_id == provider.id))
    db.add_all(RemoteId(remote_id=name, identity_provider_id=provider.id) for name in wanted)


def home(db: Session, provider_id: str, domain_id: str | None) -> str:
    """The domain of a new provider's users: the one named, which no other provider may have, or a new one. Raises NotFound, Conflict."""
    if domain_id is None:
        made = projects.new_domain(new_hex_id(), description=f"Users of identity provider {provider_id}", enabled=True)
        made.id = made.name
        projects.add(db, made, None)
        return made.id
    domain = db.get(Project, domain_id)
    if domain is None or not domain.is_domain:
        raise NotFound(f"Domain {domain_id} could not be found.")
    owner = db.scalar(select(IdentityProvider.id).where(IdentityProvider.domain_id == domain_id))
    if owner is not None:
        raise Conflict(f"Domain {domain_id} belongs to identity provider {owner} already.")
    return domain_id


def end_tokens(call: Call, provider_id: str, protocol_id: str | None = None) -> None:
    """What the provider said counts no more, as when it is switched off: all tokens of the users who came from there, and their groups."""
    users = select(FederatedUser.user_id).where(FederatedUser.identity_provider_id == provider_id)
    if protocol_id is not None:
        users = users.where(FederatedUser.protocol_id == protocol_id)
    mine = ExpiringMembership.identity_provider_id == provider_id, ExpiringMembership.user_id.in_(users)
    call.db.execute(delete(ExpiringMembership).where(*mine))
    call.db.execute(update(User).where(User.id.in_(users)).values(token_epoch=User.token_epoch + 1))
    revocation.look_again(call)
