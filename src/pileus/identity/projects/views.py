"""The JSON of projects and domains."""

from collections.abc import Sequence

from pileus.identity.projects import queries
from pileus.identity.projects.models import Project
from pileus.kernel.http.call import Call, Json


def views(call: Call, projects: Sequence[Project]) -> list[Json]:
    tags = queries.tags(call.db, [project.id for project in projects])
    return [view(call, project, tags[project.id]) for project in projects]


def view(call: Call, project: Project, tags: Sequence[str]) -> Json:
    return project.extra | {
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id or None,
        "parent_id": project.parent_id,
        "description": project.description,
        "enabled": project.enabled,
        "is_domain": project.is_domain,
        "tags": list(tags),
        "options": project.options,
        "links": {"self": call.url(f"/v3/projects/{project.id}")},
    }


def domain_view(call: Call, domain: Project) -> Json:
    return domain.extra | {
        "id": domain.id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.enabled,
        "options": domain.options,
        "links": {"self": call.url(f"/v3/domains/{domain.id}")},
    }
