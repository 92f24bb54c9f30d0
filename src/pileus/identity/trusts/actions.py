"""Making trusts: never with more than the trustor has, nor more than the trust in use when it is handed on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, and_, delete, or_
from sqlalchemy.orm import Session

from pileus.identity import expiry, held
from pileus.identity.credentials.delegated import delegation
from pileus.identity.roles.inference import RoleName
from pileus.identity.settings import IdentitySettings
from pileus.identity.trusts import queries
from pileus.identity.trusts.models import Trust, TrustRole
from pileus.identity.trusts.schemas import NewTrust
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest, Forbidden, NotFound
from pileus.kernel.http.call import Call

KEPT = timedelta(days=1)  # the longest that a token may live


def add(call: Call, given: NewTrust) -> Trust:
    """Raises BadRequest, Forbidden or NotFound."""
    parent = _in_use(call)
    if given.redelegated_trust_id and (parent is None or parent.id != given.redelegated_trust_id):
        raise Forbidden("redelegated_trust_id is not the trust in use: log in with that trust to hand it on.")
    project_id = given.project_id or None
    if (project_id is None) == bool(given.roles):
        raise BadRequest("A trust with a project_id needs at least one role, and one without project_id has none.")
    if call.db.get(User, given.trustee_user_id) is None:
        raise NotFound(f"User {given.trustee_user_id} (trustee_user_id) could not be found.")
    chosen = _roles(call, given, parent, project_id) if project_id is not None else []
    if parent is not None and project_id != parent.project_id:
        raise Forbidden("project_id is not that of the trust in use.")
    if parent is not None and given.impersonation and not parent.impersonation:
        raise Forbidden("impersonation can not be handed on: the trust in use is without.")
    made = Trust(
        trustor_user_id=given.trustor_user_id,
        trustee_user_id=given.trustee_user_id,
        project_id=project_id,
        impersonation=given.impersonation,
        expires_at=expiry.ends(
            given.expires_at,
            queries.ends(queries.chain(call.db, parent.id)) if parent else None,
            Forbidden,
            "the trust",
        ),
        remaining_uses=given.remaining_uses or None,
        redelegation_count=_redelegations(call, given, parent),
        redelegated_trust_id=parent.id if parent is not None else None,
    )
    call.db.add(made)
    call.db.flush()
    call.db.add_all(TrustRole(trust_id=made.id, role_id=role_id) for role_id in chosen)
    call.db.flush()
    return made


def purge(db: Session, before: datetime | None = None) -> int:
    """Drop trusts that have been over, and with them their tokens, since `before` (default: a day ago); how many."""
    moment = before or clock.now() - KEPT
    over = or_(Trust.expires_at < moment, and_(Trust.remaining_uses == 0, Trust.last_used < moment))
    done = db.execute(delete(Trust).where(over).execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount


def sweep(cloud: Cloud) -> None:
    """The chore."""
    cloud.db.transact(purge)


def check_may_end(call: Call, trust: Trust) -> None:
    """Raises Forbidden: a delegated token ends the trusts that were made with it, and none of the user's others."""
    used = delegation(call)
    if used is not None and (used.kind, used.id) != ("trust", trust.redelegated_trust_id):
        raise Forbidden("A delegated token ends only trusts that were made with it.")


def _in_use(call: Call) -> Trust | None:
    """The trust that the caller's token was made from. Raises Forbidden when the token can not make trusts."""
    used = delegation(call)
    if used is None:
        return None
    if used.kind != "trust":
        raise Forbidden("Trusts are not made with an application credential or an access token.")
    trust = call.db.get(Trust, used.id)
    if trust is None or trust.redelegation_count < 1:
        raise Forbidden("The trust in use can not be handed on.")
    return trust


def _redelegations(call: Call, given: NewTrust, parent: Trust | None) -> int:
    if not given.allow_redelegation:
        if given.redelegation_count:
            raise BadRequest("redelegation_count is for a trust with allow_redelegation.")
        return 0
    if given.remaining_uses:
        raise BadRequest("remaining_uses can not be set together with allow_redelegation.")
    most = call.cloud.settings(IdentitySettings).trust_redelegations
    if parent is not None:
        most = min(most, parent.redelegation_count - 1)
    count = given.redelegation_count if isinstance(given.redelegation_count, int) else most
    if count > most:
        raise Forbidden(f"redelegation_count may be {most} at most here.")
    return count


def _roles(call: Call, given: NewTrust, parent: Trust | None, project_id: str) -> list[str]:
    """Ids of the roles to delegate: the trustor must have each in the project, or the trust in use give each."""
    assert isinstance(given.roles, list)
    if parent is not None:
        own: Sequence[RoleName] = [RoleName(row.id, row.name) for row in queries.roles(call.db, parent.id)]
    else:
        own = held.roles(call.db, str(call.context.user_id), project_id)
    return held.choose(call.db, own, given.roles)
