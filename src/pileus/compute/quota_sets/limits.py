"""What a project may have: its own limits, over those of the default class, over the configuration's."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.settings import ComputeSettings
from pileus.kernel.http.call import Call
from pileus.kernel.quotas import QuotaLimit

SERVICE = "compute"
DEFAULT_CLASS = "class:default"  # in place of a project's id, which has no colon


def effective(db: Session, settings: ComputeSettings, project_id: str) -> dict[str, int]:
    """Limit by the API's name; -1 is any number. One query."""
    query = select(QuotaLimit.project_id, QuotaLimit.resource, QuotaLimit.hard_limit).where(
        QuotaLimit.service == SERVICE, QuotaLimit.project_id.in_((DEFAULT_CLASS, project_id))
    )
    found = settings.quotas()
    rows = sorted(db.execute(query), key=lambda row: row.project_id != DEFAULT_CLASS)
    for _, resource, limit in rows:
        if resource in found:
            found[resource] = limit
    return found


def limits_of(call: Call, project_id: str) -> dict[str, int]:
    return effective(call.db, call.cloud.settings(ComputeSettings), project_id)
