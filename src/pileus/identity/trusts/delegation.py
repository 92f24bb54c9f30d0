"""What a trust leaves to the tokens made from it: as much as its first trustor still has, while everybody in between is there."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from pileus.identity.projects.models import Project
from pileus.identity.roles import inference
from pileus.identity.tokens import standing
from pileus.identity.tokens.limits import Limits
from pileus.identity.tokens.payload import Payload, ScopeKind
from pileus.identity.trusts import queries
from pileus.identity.trusts.queries import Link
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.http.call import Json


def limits(db: Session, trust_id: str, payload: Payload) -> Limits | None:
    """The first trustor and the token's own user are looked up by whoever asks; all others are here."""
    trusts = queries.chain(db, trust_id)
    if not trusts:
        return None
    trust, grantor_id = trusts[0], trusts[-1].trustor_user_id
    actor_id = trust.trustor_user_id if trust.impersonation else trust.trustee_user_id
    if (payload.user_id, payload.scope, payload.scope_id) != (actor_id, *_scope(trust)):
        return None
    expires = queries.ends(trusts)
    if expires is not None and expires <= clock.now():
        return None
    people = {user_id for row in trusts for user_id in (row.trustor_user_id, row.trustee_user_id)}
    others = people - {grantor_id, payload.user_id}
    epochs = _epochs(db, others) if others else []
    if len(epochs) != len(others) or not _whole(db, trusts):
        return None
    shown = {"OS-TRUST:trust": _shown(trust)}
    return Limits(grantor_id, trust.role_ids, shown, every=True, expires=expires, epoch=sum(epochs))


def _scope(trust: Link) -> tuple[ScopeKind, str]:
    return ("project", trust.project_id) if trust.project_id is not None else ("unscoped", "")


def _whole(db: Session, trusts: Sequence[Link]) -> bool:
    """Has the first trustor still all that any trust of the chain gives? Who looks at the token sees to the last trust alone."""
    if not all(trust.whole for trust in trusts):
        return False
    if len(trusts) == 1:
        return True
    found = standing.look_up(db, trusts[-1].trustor_user_id, *_scope(trusts[-1]))
    graph = inference.load(db)
    given = {role_id for trust in trusts for role_id in trust.role_ids}
    return found is not None and set(graph.effective(given)) <= set(graph.effective(found.role_ids))


def _shown(trust: Link) -> Json:
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


_HOME = aliased(Project)
_EPOCHS = (
    select(User.token_epoch)
    .join(_HOME, _HOME.id == User.domain_id)
    .where(User.id.in_(bindparam("users", expanding=True)), User.enabled, _HOME.enabled)
)


def _epochs(db: Session, user_ids: Collection[str]) -> Sequence[int]:
    """How often each one's tokens were all ended; without those who may not log in."""
    return db.scalars(_EPOCHS, {"users": list(user_ids)}).all()
