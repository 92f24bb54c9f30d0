"""From a verified proof to a token."""

import hashlib
import logging
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from pileus.identity.federation.login import groups, projects, users, ways
from pileus.identity.federation.login.models import UsedProof
from pileus.identity.federation.login.proof import Proof, check_issuer
from pileus.identity.federation.mappings import engine
from pileus.identity.federation.mappings.engine import Mapped
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import factors, scopes
from pileus.identity.tokens import routes as tokens
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.payload import Federation
from pileus.identity.users import activity
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.db import is_passing
from pileus.kernel.errors import Unavailable
from pileus.kernel.http.call import Call, Reply

log = logging.getLogger("pileus.identity.logins")
METHODS = (
    "mapped",
    "saml2",
    "openid",
)  # what a token says of its login: the protocol if it is one of these, else the first


def check_open(call: Call, idp_id: str, protocol_id: str) -> None:
    """Before anything is asked of the provider. Raises NotFound, Forbidden."""
    with call.transaction() as db:
        ways.find(db, idp_id, protocol_id)


def enter(call: Call, idp_id: str, protocol_id: str, proof: Proof) -> Reply:
    """An unscoped token, as the API answers it. Opens its own transactions. Raises Unauthorized, Forbidden, NotFound."""
    with call.transaction() as db:
        way = ways.find(db, idp_id, protocol_id)
    check_issuer(way, proof)
    try:
        mapped = engine.evaluate(way.rules, proof.attributes, way.schema_version)
    except engine.Unmapped as why:
        raise refused(f"{idp_id}/{protocol_id}: {why}") from None
    for _ in range(3):  # two first logins of one user at the same time: the later one finds what the earlier made
        try:
            with call.transaction(write=True) as db:
                user, reply = _issue(call, db, idp_id, protocol_id, mapped, proof)
            activity.seen(call.cloud, user)
            return reply
        except (IntegrityError, OperationalError) as error:
            if isinstance(error, OperationalError) and not is_passing(error):
                raise
            log.info("a login through %s/%s starts again: %s", idp_id, protocol_id, error.orig)
    raise Unavailable("Too many logins of this user at the same time; try again.", headers={"retry-after": "1"})


def _issue(call: Call, db: Session, idp_id: str, protocol_id: str, mapped: Mapped, proof: Proof) -> tuple[User, Reply]:
    way = ways.find(db, idp_id, protocol_id)
    if proof.once is not None:
        _use(db, f"{idp_id}/{protocol_id}/{proof.once}", proof.once_until or clock.after(86400))
    method = protocol_id if protocol_id in METHODS else METHODS[0]
    if mapped.user.type == "local":
        login = Login(user_id=users.local(db, mapped.user), methods=(method,), ends=proof.ends)
    else:
        user_id, group_ids = users.ephemeral(db, way, mapped.user), groups.ids(db, mapped)
        minutes = way.provider.authorization_ttl
        if minutes is None:
            minutes = call.cloud.settings(IdentitySettings).federation_group_minutes
        groups.remember(db, user_id, idp_id, group_ids, clock.after(minutes * 60) if minutes else None)
        projects.provide(db, user_id, way.provider.domain_id, mapped.projects)
        db.flush()
        login = Login(
            user_id=user_id,
            methods=(method,),
            federation=Federation(idp_id, protocol_id, group_ids),
            ends=proof.ends,
        )
    user, reply = db.get(User, login.user_id), tokens.issue(call, login, scopes.UNSCOPED)
    if reply is None or user is None:
        raise refused("the user or its domain is disabled", reason="user_disabled", user_id=login.user_id)
    if activity.is_over(call.cloud, user):
        raise refused("no login for too long", reason="inactive", user_id=user.id)
    if factors.missing(user.options, login.methods):
        raise refused("the user must log in by several methods", reason="factors", user_id=user.id)
    return user, reply


def _use(db: Session, name: str, until: datetime) -> None:
    """Raises Unauthorized for a proof that was used before."""
    db.execute(delete(UsedProof).where(UsedProof.expires_at <= clock.now()))
    digest = hashlib.sha256(name.encode()).hexdigest()
    if db.get(UsedProof, digest) is not None:
        raise refused(f"{name} was used before")
    db.add(UsedProof(digest=digest, expires_at=until))
    db.flush()
