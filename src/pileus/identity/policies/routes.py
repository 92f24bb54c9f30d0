"""Policies: texts that an administrator leaves for other services. Identity itself does not act on them."""

from sqlalchemy import select

from pileus.identity.envelope import collection, extras
from pileus.identity.lookup import find
from pileus.identity.policies import replies
from pileus.identity.policies.models import PolicyBlob
from pileus.identity.policies.schemas import NewPolicy, NewPolicyBody, UpdatedPolicy, UpdatedPolicyBody
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

POLICIES = Listing(
    model=PolicyBlob,
    key=PolicyBlob.id,
    filters={"type": exact(PolicyBlob.type)},
    sort={"type": PolicyBlob.type, "id": PolicyBlob.id},
    default_sort=(("type", "asc"),),
    always_limited=False,
)


def policy(call: Call, policy_id: str) -> PolicyBlob:
    return find(call, PolicyBlob, policy_id, "Policy")


def view(call: Call, row: PolicyBlob) -> Json:
    return row.extra | {
        "id": row.id,
        "type": row.type,
        "blob": row.blob,
        "links": {"self": call.url(f"/v3/policies/{row.id}")},
    }


def index(call: Call) -> Json:
    page = POLICIES.page(call, select(PolicyBlob))
    following = POLICIES.next_link(call, page, "/v3/policies")
    return collection(call, "/v3/policies", "policies", [view(call, row) for row in page.items], following)


def create(call: Call, body: NewPolicyBody) -> Json:
    given = body.policy
    made = PolicyBlob(type=given.type, blob=given.blob, extra=extras(call.body["policy"], NewPolicy))
    call.db.add(made)
    call.db.flush()
    return {"policy": view(call, made)}


def show(call: Call, target: PolicyBlob) -> Json:
    return {"policy": view(call, target)}


def update(call: Call, target: PolicyBlob, body: UpdatedPolicyBody) -> Json:
    given = body.policy
    target.type = target.type if given.type is UNSET else given.type
    target.blob = target.blob if given.blob is UNSET else given.blob
    target.extra = {**target.extra, **extras(call.body["policy"], UpdatedPolicy)}
    return {"policy": view(call, target)}


def destroy(call: Call, target: PolicyBlob) -> None:
    call.db.delete(target)


_ONE = "/v3/policies/{policy_id}"
ROUTES = (
    Route("GET", "/v3/policies", index, "identity:list_policies", reply=replies.POLICIES, query=POLICIES),
    Route("POST", "/v3/policies", create, "identity:create_policy", status=201, reply=replies.POLICY),
    Route("GET", _ONE, show, "identity:get_policy", load=policy, reply=replies.POLICY),
    Route("PATCH", _ONE, update, "identity:update_policy", load=policy, reply=replies.POLICY),
    Route("DELETE", _ONE, destroy, "identity:delete_policy", load=policy, status=204),
)
