"""What a project has of each quota's resource, counted from the rows."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.compute.server_groups.models import ServerGroup
from pileus.compute.servers.create import usage as of_servers


def used(db: Session, project_id: str) -> dict[str, int]:
    """Two queries. What is counted per user or per server (key pairs, metadata, members) has no number per project."""
    groups = db.scalar(select(func.count()).select_from(ServerGroup).where(ServerGroup.project_id == project_id))
    return {**of_servers(db, project_id), "server_groups": groups or 0}
