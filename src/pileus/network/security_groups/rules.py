"""Writes of rules."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.network import usage
from pileus.network.errors import conflict
from pileus.network.security_groups.models import SecurityGroup, SecurityGroupRule
from pileus.network.security_groups.protocols import Match, number


def create(
    db: Session, group: SecurityGroup, match: Match, remote_group_id: str | None, description: str
) -> SecurityGroupRule:
    """Raises Conflict for a rule that the group has, and when over quota."""
    rows = db.scalars(select(SecurityGroupRule).where(SecurityGroupRule.security_group_id == group.id))
    wanted = _sense(match, remote_group_id)
    for row in rows:
        held = Match(
            row.direction, row.ethertype, row.protocol, row.port_range_min, row.port_range_max, row.remote_ip_prefix
        )
        if _sense(held, row.remote_group_id) == wanted:
            raise conflict(f"Security group rule already exists. Rule id is {row.id}.", "SecurityGroupRuleExists")
    usage.check(db, group.project_id, "security_group_rule")
    rule = SecurityGroupRule(
        project_id=group.project_id, description=description, remote_group_id=remote_group_id, **match._asdict()
    )
    group.rules.append(rule)
    group.touch()
    db.flush()
    return rule


def _sense(match: Match, remote_group_id: str | None) -> tuple[object, ...]:
    """Two rules that say the same in other words (tcp and 6, no prefix and 0.0.0.0/0) are the same."""
    prefix = None if match.remote_ip_prefix in ("0.0.0.0/0", "::/0") else match.remote_ip_prefix
    return (*match._replace(protocol=None, remote_ip_prefix=prefix), number(match.protocol), remote_group_id)


def destroy(db: Session, group: SecurityGroup, rule: SecurityGroupRule) -> None:
    group.rules.remove(rule)
    group.touch()
    db.flush()
