"""How projects and domains are listed."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, select

from pileus.identity.filters import names
from pileus.identity.listing import Listing
from pileus.identity.projects.models import Project, ProjectTag
from pileus.kernel.http.listing import exact, flag

_SORT = {"name": Project.name, "id": Project.id, "enabled": Project.enabled}


def _tags(values: Sequence[str]) -> set[str]:
    return {tag for value in values for tag in value.split(",")}


def _any(values: Sequence[str]) -> Select[str]:
    return select(ProjectTag.project_id).where(ProjectTag.name.in_(_tags(values)))


def _every(values: Sequence[str]) -> Select[str]:
    return _any(values).group_by(ProjectTag.project_id).having(func.count() == len(_tags(values)))


def _in(ids: Select[str]) -> ColumnElement[bool]:
    return Project.id.in_(ids)


PROJECTS = Listing(
    model=Project,
    key=Project.id,
    filters={
        **names("name", Project.name),
        "domain_id": exact(Project.domain_id),
        "parent_id": exact(Project.parent_id),
        "enabled": flag(Project.enabled),
        "is_domain": flag(Project.is_domain),
        "tags": lambda values: _in(_every(values)),
        "tags-any": lambda values: _in(_any(values)),
        "not-tags": lambda values: ~_in(_every(values)),
        "not-tags-any": lambda values: ~_in(_any(values)),
    },
    sort=_SORT,
    default_sort=(("name", "asc"),),
)

DOMAINS = Listing(
    model=Project,
    key=Project.id,
    filters={**names("name", Project.name), "enabled": flag(Project.enabled)},
    sort=_SORT,
    default_sort=(("name", "asc"),),
)
