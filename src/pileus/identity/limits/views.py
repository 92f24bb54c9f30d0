"""The JSON of limits."""

from collections.abc import Sequence

from sqlalchemy import select

from pileus.identity.limits.models import Limit
from pileus.kernel.http.call import Call, Json


def view(call: Call, row: Limit) -> Json:
    return {
        "id": row.id,
        "project_id": row.project_id,
        "domain_id": row.domain_id,
        "service_id": row.registered.service_id,
        "region_id": row.registered.region_id or None,
        "resource_name": row.registered.resource_name,
        "resource_limit": row.resource_limit,
        "description": row.description,
        "links": {"self": call.url(f"/v3/limits/{row.id}")},
    }


def of_projects(call: Call, project_ids: Sequence[str]) -> dict[str, list[Json]]:
    """The limits of each of several projects, by one query: what `include_limits` adds to projects."""
    found: dict[str, list[Json]] = {identifier: [] for identifier in project_ids}
    query = select(Limit).where(Limit.holder_id.in_(list(project_ids)), Limit.of_domain.is_(False)).order_by(Limit.id)
    for row in call.db.scalars(query) if project_ids else ():
        found[row.holder_id].append(view(call, row))
    return found
