"""OS-TRUST: trusts and their roles."""

from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.tokens import revocation
from pileus.identity.trusts import actions, queries, replies, views
from pileus.identity.trusts.models import Trust
from pileus.identity.trusts.schemas import NewTrustBody
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route

TRUSTS = Listing(
    model=Trust,
    key=Trust.id,
    filters={"project_id": exact(Trust.project_id)},
    sort={"id": Trust.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)
ALL = "/v3/OS-TRUST/trusts"


class Between:
    """A trust that is not there yet, or those that a list is narrowed to: who they are between."""

    def __init__(self, trustor_id: str | None, trustee_id: str | None = None) -> None:
        self.trustor_id = trustor_id
        self.trustee_id = trustee_id

    def policy_target(self) -> dict[str, object]:
        return {"target.trust.trustor_user_id": self.trustor_id, "target.trust.trustee_user_id": self.trustee_id}


def wished(call: Call) -> Between:
    """For the trustor only: who may make a trust is decided by whose roles it gives away."""
    return Between(call.body["trust"]["trustor_user_id"])


def asked(call: Call) -> Between:
    return Between(call.query_value("trustor_user_id"), call.query_value("trustee_user_id"))


def trust(call: Call, trust_id: str) -> Trust:
    """To all others, a trust looks as if it were not there."""
    row = call.db.get(Trust, trust_id)
    if row is None or not call.allows("identity:get_trust", row.policy_target()):
        raise NotFound(f"Trust {trust_id} could not be found.")
    return row


def index(call: Call, target: Between) -> Json:
    rules = (
        ("identity:list_trusts_for_trustor", target.trustor_id),
        ("identity:list_trusts_for_trustee", target.trustee_id),
    )
    narrowed = [rule for rule, user_id in rules if user_id is not None]
    if narrowed and not any(call.allows(rule, target.policy_target()) for rule in narrowed):
        raise Forbidden(f"Policy does not allow {narrowed[0]} to be performed.")
    query = select(Trust)
    if target.trustor_id is not None:
        query = query.where(Trust.trustor_user_id == target.trustor_id)
    if target.trustee_id is not None:
        query = query.where(Trust.trustee_user_id == target.trustee_id)
    page = TRUSTS.page(call, query)
    link = TRUSTS.next_link(call, page, ALL)
    return collection(call, ALL, "trusts", [views.summary(call, row) for row in page.items], link)


def create(call: Call, _wished: Between, body: NewTrustBody) -> Json:
    made = actions.add(call, body.trust)
    return {"trust": views.view(call, made, queries.roles(call.db, made.id))}


def show(call: Call, target: Trust) -> Json:
    return {"trust": views.view(call, target, queries.roles(call.db, target.id))}


def destroy(call: Call, target: Trust) -> None:
    """The database takes those that were made with it along."""
    actions.check_may_end(call, target)
    call.db.delete(target)
    revocation.look_again(call)


def list_roles(call: Call, target: Trust) -> Json:
    roles = [views.role_view(call, role) for role in queries.roles(call.db, target.id)]
    return collection(call, views.path(target) + "/roles", "roles", roles)


def show_role(call: Call, target: Trust, role_id: str) -> Json:
    role = next((role for role in queries.roles(call.db, target.id) if role.id == role_id), None)
    if role is None:
        raise NotFound(f"Trust {target.id} does not give role {role_id}.")
    return {"role": views.role_view(call, role)}


_ONE = ALL + "/{trust_id}"
ROUTES = (
    Route(
        "GET",
        ALL,
        index,
        "identity:list_trusts",
        load=asked,
        reply=replies.TRUSTS,
        query=(*TRUSTS.filters, "trustor_user_id", "trustee_user_id", "limit", "marker"),
    ),
    Route("POST", ALL, create, "identity:create_trust", load=wished, status=201, reply=replies.TRUST),
    Route("GET", _ONE, show, "identity:get_trust", load=trust, reply=replies.TRUST),
    Route("DELETE", _ONE, destroy, "identity:delete_trust", load=trust, status=204),
    Route("GET", _ONE + "/roles", list_roles, "identity:list_roles_for_trust", load=trust, reply=replies.ROLES),
    Route("GET", _ONE + "/roles/{role_id}", show_role, "identity:get_role_for_trust", load=trust, reply=replies.ROLE),
)
