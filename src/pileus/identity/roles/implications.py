"""Implied roles: who has the prior role has the implied one too."""

from dataclasses import dataclass

from sqlalchemy import select

from pileus.identity.envelope import links
from pileus.identity.roles import replies
from pileus.identity.roles.inference import load
from pileus.identity.roles.models import GLOBAL, ImpliedRole, Role
from pileus.identity.roles.routes import role
from pileus.identity.tokens import revocation
from pileus.kernel.errors import BadRequest, Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


@dataclass(frozen=True)
class Pair:
    prior: Role
    implied: Role

    def policy_target(self) -> dict[str, object]:
        return self.prior.policy_target()


def prior(call: Call, prior_role_id: str) -> Role:
    return role(call, prior_role_id)


def pair(call: Call, prior_role_id: str, implied_role_id: str) -> Pair:
    return Pair(role(call, prior_role_id), role(call, implied_role_id))


def index(call: Call, target: Role) -> Json:
    path = f"/v3/roles/{target.id}/implies"
    return {"role_inference": _inference(call, target, _implied(call, target)), "links": links(call, path)}


def index_all(call: Call) -> Json:
    query = select(Role).where(Role.id.in_(select(ImpliedRole.prior_role_id))).order_by(Role.name)
    found = [_inference(call, row, _implied(call, row)) for row in call.db.scalars(query).all()]
    return {"role_inferences": found, "links": links(call, "/v3/role_inferences")}


def show(call: Call, target: Pair) -> Json:
    _rule(call, target)
    return _pair_view(call, target)


def check(call: Call, target: Pair) -> None:
    _rule(call, target)


def create(call: Call, target: Pair) -> Json:
    if target.prior.domain_id == GLOBAL and target.implied.domain_id != GLOBAL:
        raise Forbidden("A global role can not imply a domain's own role.")
    if target.implied.name == "admin" and target.implied.domain_id == GLOBAL:
        raise Forbidden("The role admin can not be implied by another role.")
    if target.prior.id in load(call.db).closure(target.implied.id):
        raise BadRequest(f"Role {target.implied.id} is or implies {target.prior.id}: roles can not imply each other.")
    call.db.merge(ImpliedRole(prior_role_id=target.prior.id, implied_role_id=target.implied.id))
    revocation.look_again(call)
    return _pair_view(call, target)


def remove(call: Call, target: Pair) -> None:
    call.db.delete(_rule(call, target))
    revocation.look_again(call)


def _rule(call: Call, target: Pair) -> ImpliedRole:
    row = call.db.get(ImpliedRole, (target.prior.id, target.implied.id))
    if row is None:
        raise NotFound(f"Role {target.prior.id} does not imply {target.implied.id}.")
    return row


def _implied(call: Call, row: Role) -> list[Role]:
    query = select(Role).join(ImpliedRole, ImpliedRole.implied_role_id == Role.id)
    return list(call.db.scalars(query.where(ImpliedRole.prior_role_id == row.id).order_by(Role.name)))


def _inference(call: Call, first: Role, implied: list[Role]) -> Json:
    return {"prior_role": _brief(call, first), "implies": [_brief(call, row) for row in implied]}


def _pair_view(call: Call, target: Pair) -> Json:
    path = f"/v3/roles/{target.prior.id}/implies/{target.implied.id}"
    both = {"prior_role": _brief(call, target.prior), "implies": _brief(call, target.implied)}
    return {"role_inference": both, "links": links(call, path)}


def _brief(call: Call, row: Role) -> Json:
    return {"id": row.id, "name": row.name, "links": {"self": call.url(f"/v3/roles/{row.id}")}}


_ONE = "/v3/roles/{prior_role_id}/implies/{implied_role_id}"
ROUTES = (
    Route(
        "GET",
        "/v3/roles/{prior_role_id}/implies",
        index,
        "identity:list_implied_roles",
        load=prior,
        reply=replies.IMPLIED,
    ),
    Route("GET", _ONE, show, "identity:get_implied_role", load=pair, reply=replies.PAIR),
    Route("HEAD", _ONE, check, "identity:check_implied_role", load=pair, status=204),
    Route("PUT", _ONE, create, "identity:create_implied_role", load=pair, status=201, reply=replies.PAIR),
    Route("DELETE", _ONE, remove, "identity:delete_implied_role", load=pair, status=204),
    Route("GET", "/v3/role_inferences", index_all, "identity:list_role_inference_rules", reply=replies.INFERENCES),
)
