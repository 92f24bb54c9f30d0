"""Writes of security groups: the default group of a project, groups, membership of ports."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.kernel.errors import NotFound
from pileus.network import usage
from pileus.network.errors import conflict, not_found
from pileus.network.ports.models import Port, PortGroup
from pileus.network.security_groups.models import DefaultGroup, SecurityGroup, SecurityGroupRule

ETHERTYPES = ("IPv4", "IPv6")
DEFAULT = "default"


def default_id(db: Session, project_id: str) -> str | None:
    return db.scalar(select(DefaultGroup.security_group_id).where(DefaultGroup.project_id == project_id))


def ensure_default(db: Session, project_id: str) -> str:
    """The id of the project's default group, made at first use: all goes out, in comes what its own members send."""
    found = default_id(db, project_id)
    if found is not None or not project_id:
        return found or ""
    try:
        with db.begin_nested():
            group = _new(project_id, DEFAULT, "Default security group")
            group.rules += [_rule(group, "ingress", kind, remote_group_id=group.id) for kind in ETHERTYPES]
            db.add(group)
            db.flush()
            db.execute(insert(DefaultGroup).values(project_id=project_id, security_group_id=group.id))
    except IntegrityError:  # somebody else was first
        return default_id(db, project_id) or ""
    return group.id


def create(db: Session, project_id: str, name: str, description: str, stateful: bool = True) -> SecurityGroup:
    """A group that lets everything out and nothing in."""
    ensure_default(db, project_id)
    if name == DEFAULT:
        raise conflict("Default security group already exists.", "SecurityGroupDefaultAlreadyExists")
    usage.check(db, project_id, "security_group")
    usage.check(db, project_id, "security_group_rule", len(ETHERTYPES))
    group = _new(project_id, name, description)
    group.stateful = stateful
    db.add(group)
    db.flush()
    return group


def _new(project_id: str, name: str, description: str) -> SecurityGroup:
    group = SecurityGroup(id=new_id(), project_id=project_id, name=name, description=description, stateful=True)
    group.rules = [_rule(group, "egress", kind) for kind in ETHERTYPES]
    return group


def _rule(
    group: SecurityGroup, direction: str, ethertype: str, remote_group_id: str | None = None
) -> SecurityGroupRule:
    return SecurityGroupRule(
        project_id=group.project_id, direction=direction, ethertype=ethertype, remote_group_id=remote_group_id
    )


def destroy(db: Session, group: SecurityGroup, *, by_admin: bool) -> None:
    if not by_admin and default_id(db, group.project_id) == group.id:
        raise conflict("Insufficient rights for removing default security group.", "SecurityGroupCannotRemoveDefault")
    if db.scalar(select(PortGroup.port_id).where(PortGroup.security_group_id == group.id).limit(1)) is not None:
        raise conflict(f"Security Group {group.id} in use.", "SecurityGroupInUse")
    foreign = SecurityGroupRule.security_group_id != group.id
    db.execute(delete(SecurityGroupRule).where(SecurityGroupRule.remote_group_id == group.id, foreign))
    db.delete(group)
    db.flush()


def found(db: Session, ids: Iterable[str], project_id: str, *, by_admin: bool) -> list[str]:
    """`ids` without doubles, once it is sure that all exist and that the project may use them. Raises NotFound."""
    wanted = list(dict.fromkeys(ids))
    query = select(SecurityGroup.id).where(SecurityGroup.id.in_(wanted))
    known = set(db.scalars(query if by_admin else query.where(SecurityGroup.project_id == project_id)))
    missing = next((one for one in wanted if one not in known), None)
    if missing is not None:
        raise not_found("Security group", missing)
    return wanted


def by_name_or_id(db: Session, names: Sequence[str], project_id: str) -> list[str]:
    """Ids of the project's groups that compute's requests name. Raises NotFound, or Conflict for a name that two groups have."""
    ensure_default(db, project_id)
    rows = db.execute(select(SecurityGroup.id, SecurityGroup.name).where(SecurityGroup.project_id == project_id)).all()
    ids = {identifier for identifier, _ in rows}
    out: list[str] = []
    for name in names:
        matches = [name] if name in ids else [identifier for identifier, called in rows if called == name]
        if not matches:
            raise NotFound(f"Security group {name} not found for project {project_id}.", kind="SecurityGroupNotFound")
        if len(matches) > 1:
            message = f"Multiple security groups found matching '{name}'. Use an ID to be more specific."
            raise conflict(message, "NoUniqueMatch")
        out += [identifier for identifier in matches if identifier not in out]
    return out


def join(port: Port, ids: Sequence[str]) -> None:
    """The port is in exactly these groups."""
    kept = {group.security_group_id: group for group in port.groups}
    port.groups = [kept.get(one) or PortGroup(port_id=port.id, security_group_id=one) for one in ids]
