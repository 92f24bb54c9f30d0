"""People who run more than a domain. A domain's manager may not change them, or use them to become one of them."""

from typing import Protocol

from sqlalchemy import or_, select

from pileus.identity.assignments.models import SYSTEM, Assignment
from pileus.identity.groups.models import Group, Membership
from pileus.identity.roles import inference
from pileus.identity.roles.models import GLOBAL
from pileus.identity.users.models import User
from pileus.kernel.errors import Forbidden
from pileus.kernel.http.call import Call

HIGHEST = {("admin", GLOBAL), ("service", GLOBAL)}
RULE = "identity:change_privileged"


class Guarded(Protocol):
    def policy_target(self) -> dict[str, object]: ...


def check(call: Call, target: Guarded, *actors: User | Group) -> None:
    """Raises Forbidden unless the caller may change those who hold the role admin or service anywhere, or any role in the system.

    A user's groups count, and so does what a group would give to a user who is put into it. Whoever may not change `target` anyway
    does not learn who these people are.
    """
    if call.allows(RULE, {}):
        return
    call.enforce(call.route.policy, target.policy_target())
    ids = [actor.id for actor in actors]
    groups = select(Membership.group_id).where(Membership.user_id.in_(ids))
    graph = inference.load(call.db)
    highest = {role_id for role_id, role in graph.roles.items() if role in HIGHEST}
    high = select(Assignment.actor_id).where(
        or_(Assignment.actor_id.in_(ids), Assignment.actor_id.in_(groups)),
        or_(
            Assignment.target_id == SYSTEM,
            Assignment.role_id.in_([role for role in graph.roles if highest & set(graph.closure(role))]),
        ),
    )
    if call.db.scalar(high.limit(1)) is not None:
        raise Forbidden(
            "Only administrators may change users and groups that hold the role admin or one in the system."
        )
