"""The row of a user who came from an identity provider."""

import hashlib
import secrets

import msgspec
from sqlalchemy.orm import Session

from pileus.identity.federation.login.models import FederatedUser
from pileus.identity.federation.login.ways import Way
from pileus.identity.federation.mappings.engine import DomainName, MappedUser
from pileus.identity.projects import queries as projects
from pileus.identity.tokens.login import refused
from pileus.identity.users import queries
from pileus.identity.users.models import User

LONGEST = 255


def local(db: Session, mapped: MappedUser) -> str:
    """The id of the user of this cloud's own that the rules name. Raises Unauthorized."""
    home = domain_id(db, mapped.domain or DomainName())
    by_name = queries.id_of(db, mapped.name, domain_id=home)
    if by_name is not None:
        return by_name
    by_id = db.get(User, mapped.id)
    if by_id is None or by_id.domain_id != home:
        raise refused(f"there is no local user {mapped.name} in domain {home}")
    return by_id.id


def ephemeral(db: Session, way: Way, mapped: MappedUser) -> str:
    """The id of the provider's user: found again, or made. Its name follows the provider's. Raises Unauthorized."""
    if max(len(mapped.id), len(mapped.name)) > LONGEST:
        raise refused(f"the user's id or name has more than {LONGEST} characters")
    link = db.get(FederatedUser, (way.provider.id, way.protocol_id, mapped.id))
    home = domain_id(db, mapped.domain) if mapped.domain else way.provider.domain_id
    user_id = link.user_id if link else _id(way, home, mapped.id)
    user = db.get(User, user_id)
    if user is None:
        name = _free_name(db, home, mapped, user_id)
        user = User(id=user_id, domain_id=home, name=name, extra={}, token_epoch=_new_epoch())
        db.add(user)
        db.flush()
    elif link is not None and link.display_name != mapped.name:
        user.name = _free_name(db, user.domain_id, mapped, user_id)
    if mapped.email is not None and user.extra.get("email") != mapped.email:
        user.extra = {**user.extra, "email": mapped.email}
    if link is None:
        link = FederatedUser(
            user_id=user_id,
            identity_provider_id=way.provider.id,
            protocol_id=way.protocol_id,
            unique_id=mapped.id,
            display_name=mapped.name,
        )
        db.add(link)
    link.display_name = mapped.name
    db.flush()
    return user_id


def domain_id(db: Session, named: DomainName) -> str:
    """Raises Unauthorized."""
    found = named.id if named.id and projects.is_domain(db, named.id) else None
    if named.id is None and named.name:
        found = projects.domain_id(db, named.name)
    if found is None:
        raise refused(f"there is no domain {named.id or named.name}")
    return found


def _id(way: Way, home: str, unique_id: str) -> str:
    """Always the same for the same person: who is forgotten with a deleted protocol gets back what was his."""
    said = msgspec.json.encode([home, way.provider.id, way.protocol_id, unique_id])
    return hashlib.sha256(said).hexdigest()


def _new_epoch() -> int:
    """Not one that a deleted user of the same id had: tokens from before do not come back with the user."""
    return secrets.randbelow(1 << 30)


def _free_name(db: Session, home: str, mapped: MappedUser, user_id: str) -> str:
    """Names are unique in a domain, those that providers show need not be. Nobody ever becomes a user who has the name already."""
    for name in (mapped.name, mapped.id, f"{mapped.name[: LONGEST - 9]}~{user_id[:8]}"):
        if queries.id_of(db, name, domain_id=home) in (None, user_id):
            return name
    return user_id
