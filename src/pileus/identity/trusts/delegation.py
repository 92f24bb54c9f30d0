"""What a trust leaves to the tokens made from it: as much as its first trustor still has, while everybody in between is there."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from pileus.identity.projects.models import Project
from pileus.identity.roles import inference
from pileus.identity.roles.models import Role
from pileus.identity.tokens import standing
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload, ScopeKind
from pileus.identity.trusts import queries
from pileus.identity.trusts.models import Trust, TrustRole
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.http.call import Json


def limits(db: Session, trust_id: str, payload: Payload) -> Limits | None:
    trusts = queries.chain(db, trust_id)
    if not trusts:
        return None
    trust, grantor_id = trusts[0], trusts[-1].trustor_user_id
    actor_id = trust.trustor_user_id if trust.impersonation else trust.trustee_user_id
    scope = ("project", trust.project_id) if trust.project_id is not None else ("unscoped", "")
    if (payload.user_id, payload.scope, payload.scope_id) != (actor_id, *scope):
        return None
    expires = queries.ends(trusts)
    if expires is not None and expires <= clock.now():
        return None
    people = {user_id for row in trusts for user_id in (row.trustor_user_id, row.trustee_user_id)}
    epochs = _epochs(db, people)
    roles = db.execute(
        select(TrustRole.role_id, Role.id.label("there"))
        .outerjoin(Role, Role.id == TrustRole.role_id)
        .where(TrustRole.trust_id == trust_id)
    ).all()
    if len(epochs) != len(people) or any(row.there is None for row in roles):
        return None
    if len(trusts) > 1 and not _whole(db, trusts):
        return None
    others = people - {grantor_id, payload.user_id}
    return Limits(
        grantor_id,
        tuple(row.role_id for row in roles),
        {"OS-TRUST:trust": shown(trust)},
        every=True,
        expires=expires,
        epoch=sum(epochs[user_id] for user_id in others),
    )


def _whole(db: Session, trusts: Sequence[Trust]) -> bool:
    """Has the first trustor still all that any trust of the chain gives? A trust that is worth nothing is not so to those below."""
    first = trusts[-1]
    given = db.scalars(select(TrustRole.role_id).where(TrustRole.trust_id.in_([trust.id for trust in trusts]))).all()
    scope: ScopeKind = "project" if first.project_id is not None else "unscoped"
    found = standing.look_up(db, first.trustor_user_id, scope, first.project_id or "")
    if found is None:
        return False
    graph = inference.load(db)
    return set(graph.effective(given)) <= set(graph.effective(found.role_ids)) and graph.roles.keys() >= set(given)


def shown(trust: Trust) -> Json:
    """As the token's body tells it."""
    body: Json = {
        "id": trust.id,
        "impersonation": trust.impersonation,
        "trustor_user": {"id": trust.trustor_user_id},
        "trustee_user": {"id": trust.trustee_user_id},
    }
    if trust.redelegated_trust_id is not None:
        body |= {
            "redelegated_trust_id": trust.redelegated_trust_id,
            "redelegation_count": trust.redelegation_count,
        }
    return body


def _epochs(db: Session, user_ids: Collection[str]) -> dict[str, int]:
    """How often each one's tokens were all ended; without those who may not log in."""
    home = aliased(Project)
    query = select(User.id, User.token_epoch).join(home, home.id == User.domain_id)
    return {
        row.id: row.token_epoch for row in db.execute(query.where(User.id.in_(user_ids), User.enabled, home.enabled))
    }
