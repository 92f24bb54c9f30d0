from sqlalchemy import Select, select

from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import exact, flag, number
from pileus.network.errors import not_found
from pileus.network.rest.lists import listing, visible
from pileus.network.security_groups.models import SecurityGroup, SecurityGroupRule

GROUPS = listing(SecurityGroup, {"stateful": flag(SecurityGroup.stateful)}, sort=("stateful",))
RULES = listing(
    SecurityGroupRule,
    {
        "security_group_id": exact(SecurityGroupRule.security_group_id),
        "direction": exact(SecurityGroupRule.direction),
        "ethertype": exact(SecurityGroupRule.ethertype),
        "protocol": exact(SecurityGroupRule.protocol),
        "port_range_min": number(SecurityGroupRule.port_range_min),
        "port_range_max": number(SecurityGroupRule.port_range_max),
        "remote_ip_prefix": exact(SecurityGroupRule.remote_ip_prefix),
        "remote_group_id": exact(SecurityGroupRule.remote_group_id),
    },
    sort=("direction", "ethertype", "protocol", "security_group_id"),
)


def find(call: Call, security_group_id: str) -> SecurityGroup:
    group = call.db.get(SecurityGroup, security_group_id)
    if group is None or not call.context.sees_project(group.project_id):
        raise not_found("Security group", security_group_id)
    return group


def find_rule(call: Call, rule_id: str) -> SecurityGroupRule:
    rule = call.db.get(SecurityGroupRule, rule_id)
    if rule is None or not call.context.sees_project(rule.project_id):
        raise not_found("Security group rule", rule_id)
    return rule


def seen(call: Call) -> Select[SecurityGroup]:
    own = visible(call, SecurityGroup.project_id)
    query = select(SecurityGroup)
    return query if own is None else query.where(own)


def seen_rules(call: Call) -> Select[SecurityGroupRule]:
    own = visible(call, SecurityGroupRule.project_id)
    query = select(SecurityGroupRule)
    return query if own is None else query.where(own)
