"""What projects have of each quota's resource, counted from the rows."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.compute.server_groups.models import ServerGroup
from pileus.compute.servers.quota import usage as of_servers
from pileus.kernel.quotas import Projects


def used(db: Session, projects: Projects) -> dict[str, int]:
    """Two queries. What is counted per user or per server (key pairs, metadata, members) has no number per project."""
    return {**of_servers(db, projects), **groups(db, projects)}


def groups(db: Session, projects: Projects) -> dict[str, int]:
    query = select(func.count()).select_from(ServerGroup).where(ServerGroup.project_id.in_(projects))
    return {"server_groups": db.scalar(query) or 0}
