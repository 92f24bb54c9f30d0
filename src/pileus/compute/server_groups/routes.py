"""Server groups: the table, the rules, the view and thin handlers."""

from functools import partial

import msgspec
from sqlalchemy import select

from pileus.compute.paging import limit_of, offset_of
from pileus.compute.quota_sets.limits import bounds_of
from pileus.compute.quota_sets.usage import groups
from pileus.compute.server_groups.models import ServerGroup
from pileus.compute.server_groups.schemas import NewGroup, NewGroupBody
from pileus.compute.strictness import refuse_unknown
from pileus.kernel import quotas
from pileus.kernel.errors import BadRequest, NotFound, OverQuota
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Unset
from pileus.kernel.policy import Rule

GROUPS = "os_compute_api:os-server-groups"


def find(call: Call, group_id: str) -> ServerGroup:
    group = call.db.get(ServerGroup, group_id)
    if group is None or not call.context.sees_project(group.project_id):
        raise NotFound(f"Instance group {group_id} could not be found.")
    return group


def view(call: Call, group: ServerGroup) -> Json:
    shown: Json = {"id": group.id, "name": group.name, "members": [member.server_id for member in group.members]}
    if call.at_least(2, 64):
        shown |= {"policy": group.policy, "rules": group.rules}
    else:
        shown |= {"policies": [group.policy], "metadata": {}}
    return shown | ({"project_id": group.project_id, "user_id": group.user_id} if call.at_least(2, 13) else {})


def index(call: Call) -> Json:
    refuse_unknown(call, ("all_projects", "limit", "offset"))
    query = select(ServerGroup).order_by(ServerGroup.created_at, ServerGroup.id)
    if call.query_value("all_projects") is None or not call.allows(f"{GROUPS}:index:all_projects"):
        query = query.where(ServerGroup.project_id == call.context.project_id)
    groups = call.db.scalars(query.offset(offset_of(call)).limit(limit_of(call)))
    return {"server_groups": [view(call, group) for group in groups]}


def show(call: Call, group: ServerGroup) -> Json:
    return {"server_group": view(call, group)}


def create(call: Call, body: NewGroupBody) -> Json:
    project = call.context.project_id
    if project is None:
        raise BadRequest("A server group belongs to a project: use a token that is scoped to one.")
    asked = body.server_group
    policy = _policy(call, asked)
    rules: dict[str, int] = {} if isinstance(asked.rules, Unset) else msgspec.to_builtins(asked.rules)
    if rules and policy != "anti-affinity":
        raise BadRequest("Only anti-affinity policy supports rules.")
    try:
        quotas.enforce(bounds_of(call, project), partial(groups, call.db), {"server_groups": 1})
    except quotas.Exceeded:
        raise OverQuota("Quota exceeded, too many server groups.") from None
    group = ServerGroup(
        name=asked.name.strip(),
        project_id=project,
        user_id=call.context.user_id,
        policy=policy,
        rules=rules,
        members=[],
    )
    call.db.add(group)
    call.db.flush()
    return show(call, group)


def _policy(call: Call, asked: NewGroup) -> str:
    if call.at_least(2, 64):
        if isinstance(asked.policy, Unset):
            raise BadRequest("Invalid input: Object missing required field `policy` - at `$.server_group`")
        return asked.policy
    if isinstance(asked.policies, Unset):
        raise BadRequest("Invalid input: Object missing required field `policies` - at `$.server_group`")
    policy = asked.policies[0]
    if policy.startswith("soft-") and not call.at_least(2, 15):
        raise BadRequest(f"Invalid input: policy {policy} exists from microversion 2.15 on")
    return policy


def delete(call: Call, group: ServerGroup) -> None:
    """Its servers stay where they are."""
    call.db.delete(group)


G = "/v2.1/os-server-groups/{group_id}"
ROUTES = (
    Route("GET", "/v2.1/os-server-groups", index, f"{GROUPS}:index"),
    Route("POST", "/v2.1/os-server-groups", create, f"{GROUPS}:create"),
    Route("GET", G, show, f"{GROUPS}:show", load=find),
    Route("DELETE", G, delete, f"{GROUPS}:delete", load=find, status=204),
)
RULES = (
    Rule(f"{GROUPS}:index", "rule:reader_or_admin", "List server groups"),
    Rule(f"{GROUPS}:index:all_projects", "rule:admin_required", "List the server groups of all projects"),
    Rule(f"{GROUPS}:show", "rule:reader_or_admin", "Show a server group"),
    Rule(f"{GROUPS}:create", "rule:member_or_admin", "Create a server group"),
    Rule(f"{GROUPS}:delete", "rule:member_or_admin", "Delete a server group"),
)
