from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.network import pokes
from pileus.network.attributes import Tag
from pileus.network.errors import conflict
from pileus.network.rest.bodies import check_revision, create_all, owner, set_plain, text
from pileus.network.rest.lists import listed
from pileus.network.security_groups import actions, queries, views
from pileus.network.security_groups import rules as rule_actions
from pileus.network.security_groups.models import SecurityGroup, SecurityGroupRule
from pileus.network.security_groups.protocols import match
from pileus.network.security_groups.schemas import CreateBody, CreateRuleBody, NewGroup, NewRule, UpdateBody


def index(call: Call) -> Json:
    """A project's default group is there from the first look on."""
    if call.context.project_id:
        actions.ensure_default(call.db, call.context.project_id)
    return listed(call, queries.GROUPS, queries.seen(call), "security_groups", views.groups, "security-groups")


def show(call: Call, group: SecurityGroup) -> Json:
    return {"security_group": views.groups(call, [group])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    return create_all(call, "security_group", body.security_group, body.security_groups, _create_one, views.groups)


def _create_one(call: Call, new: NewGroup) -> SecurityGroup:
    name, description = text("name", new.name), text("description", new.description)
    return actions.create(call.db, owner(call, new), name, description, new.stateful is not False)


def update(call: Call, group: SecurityGroup, body: UpdateBody) -> Json:
    new = body.security_group
    check_revision(call, group)
    if isinstance(new.name, str) and new.name != group.name:
        if actions.default_id(call.db, group.project_id) == group.id:
            raise conflict(
                "Updating the name of the default security group is not allowed.", "SecurityGroupCannotUpdateDefault"
            )
        if new.name == actions.DEFAULT:
            raise conflict("Default security group already exists.", "SecurityGroupDefaultAlreadyExists")
    set_plain(group, new, ("name", "description", "stateful"))
    call.db.flush()
    pokes.groups(call, group.id)
    return {"security_group": views.groups(call, [group])[0]}


def destroy(call: Call, group: SecurityGroup) -> None:
    check_revision(call, group)
    pokes.groups(call, group.id)
    Tag.forget(call.db, group.id)
    actions.destroy(call.db, group, by_admin=call.context.is_admin)


def index_rules(call: Call) -> Json:
    if call.context.project_id:
        actions.ensure_default(call.db, call.context.project_id)
    return listed(
        call, queries.RULES, queries.seen_rules(call), "security_group_rules", views.rules, "security-group-rules"
    )


def show_rule(call: Call, rule: SecurityGroupRule) -> Json:
    return {"security_group_rule": views.rules(call, [rule])[0]}


def create_rules(call: Call, body: CreateRuleBody) -> Reply:
    return create_all(
        call, "security_group_rule", body.security_group_rule, body.security_group_rules, _create_rule, views.rules
    )


def _create_rule(call: Call, new: NewRule) -> SecurityGroupRule:
    owner(call, new)
    wanted = match(
        new.direction, new.ethertype, new.protocol, new.port_range_min, new.port_range_max, new.remote_ip_prefix
    )
    if new.remote_ip_prefix and new.remote_group_id:
        raise BadRequest(
            "Only remote_ip_prefix or remote_group_id may be provided.",
            kind="SecurityGroupMultipleRemoteEntitiesSpecified",
        )
    group = queries.find(call, new.security_group_id)
    remote = queries.find(call, new.remote_group_id).id if new.remote_group_id else None
    description = text("description", new.description or "")
    rule = rule_actions.create(call.db, group, wanted, remote, description)
    pokes.groups(call, group.id)
    return rule


def destroy_rule(call: Call, rule: SecurityGroupRule) -> None:
    group = queries.find(call, rule.security_group_id)
    Tag.forget(call.db, rule.id)
    rule_actions.destroy(call.db, group, rule)
    pokes.groups(call, group.id)


ONE = "/v2.0/security-groups/{security_group_id}"
RULE = "/v2.0/security-group-rules/{rule_id}"
ROUTES = (
    Route("GET", "/v2.0/security-groups", index, "get_security_groups"),
    Route("POST", "/v2.0/security-groups", create, "create_security_group", status=201),
    Route("GET", ONE, show, "get_security_group", load=queries.find),
    Route("PUT", ONE, update, "update_security_group", load=queries.find),
    Route("DELETE", ONE, destroy, "delete_security_group", load=queries.find, status=204),
    Route("GET", "/v2.0/security-group-rules", index_rules, "get_security_group_rules"),
    Route("POST", "/v2.0/security-group-rules", create_rules, "create_security_group_rule", status=201),
    Route("GET", RULE, show_rule, "get_security_group_rule", load=queries.find_rule),
    Route("DELETE", RULE, destroy_rule, "delete_security_group_rule", load=queries.find_rule, status=204),
)
