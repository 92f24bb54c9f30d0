"""Quotas: what each counts, and the check before a row is added. The service answers 409, not 403."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pileus.kernel import quotas
from pileus.kernel.quotas import Projects, Quotas
from pileus.network.errors import conflict
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.networks.models import Network
from pileus.network.ports.models import Port
from pileus.network.routers.models import Router
from pileus.network.security_groups.models import SecurityGroup, SecurityGroupRule
from pileus.network.settings import settings_of
from pileus.network.subnet_pools.models import SubnetPool
from pileus.network.subnets.models import Subnet

QUOTAS = Quotas("network")
COUNTED: Mapping[str, InstrumentedAttribute[Any]] = {
    "network": Network.project_id,
    "subnet": Subnet.project_id,
    "subnetpool": SubnetPool.project_id,
    "port": Port.project_id,
    "router": Router.project_id,
    "floatingip": FloatingIp.project_id,
    "security_group": SecurityGroup.project_id,
    "security_group_rule": SecurityGroupRule.project_id,
}


def limits(db: Session, project_id: str) -> dict[str, int]:
    return quotas.limits(db, QUOTAS, project_id, settings_of(db).quota_defaults)


def used(db: Session, projects: Projects, resource: str) -> int:
    """How many all these projects have together."""
    column = COUNTED[resource]
    return db.scalar(select(func.count()).select_from(column.class_).where(column.in_(projects))) or 0


def check(db: Session, project_id: str, resource: str, asked: int = 1) -> None:
    """Raise Conflict (OverQuota) when the project may not have so many more."""
    if not project_id:
        return
    bounds = quotas.bounds(db, QUOTAS, project_id, settings_of(db).quota_defaults)
    try:
        quotas.enforce(bounds, lambda projects: {resource: used(db, projects, resource)}, {resource: asked})
    except quotas.Exceeded:
        raise conflict(f"Quota exceeded for resources: ['{resource}'].", "OverQuota") from None
