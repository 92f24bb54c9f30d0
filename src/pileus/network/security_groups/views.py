from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from sqlalchemy import select

from pileus.kernel.http.call import Call, Json
from pileus.network.rest.lists import Sight, standard, tags_of
from pileus.network.security_groups.models import DefaultGroup, SecurityGroup, SecurityGroupRule


def groups(call: Call, rows: Sequence[SecurityGroup]) -> list[Json]:
    tags = tags_of(call.db, rows)
    defaults = _defaults(call, [row.id for row in rows])
    sight = Sight(call, "get_security_group", ())
    return [
        sight.of(
            row,
            {
                **standard(row, tags),
                "name": row.name,
                "stateful": row.stateful,
                "shared": False,
                "security_group_rules": [_rule(rule, {}, defaults) for rule in row.rules],
            },
        )
        for row in rows
    ]


def rules(call: Call, rows: Sequence[SecurityGroupRule]) -> list[Json]:
    tags = tags_of(call.db, rows)
    defaults = _defaults(call, {row.security_group_id for row in rows})
    sight = Sight(call, "get_security_group_rule", ())
    return [sight.of(row, _rule(row, tags, defaults)) for row in rows]


def _defaults(call: Call, group_ids: Sequence[str] | set[str]) -> set[str]:
    query = select(DefaultGroup.security_group_id).where(DefaultGroup.security_group_id.in_(group_ids))
    return set(call.db.scalars(query)) if group_ids else set()


def _rule(row: SecurityGroupRule, tags: Mapping[str, list[str]], defaults: set[str]) -> Json:
    return {
        **standard(row, tags),
        "security_group_id": row.security_group_id,
        "direction": row.direction,
        "ethertype": row.ethertype,
        "protocol": row.protocol,
        "port_range_min": row.port_range_min,
        "port_range_max": row.port_range_max,
        "remote_ip_prefix": row.remote_ip_prefix,
        "normalized_cidr": str(ip_network(row.remote_ip_prefix)) if row.remote_ip_prefix else None,
        "remote_group_id": row.remote_group_id,
        "remote_address_group_id": None,
        "belongs_to_default_sg": row.security_group_id in defaults,
    }
