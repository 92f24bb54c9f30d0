"""That a project is shown an endpoint, or a group of them: made, seen and ended alike."""

from typing import NamedTuple

from pileus.identity.catalog.models import ProjectEndpoint, ProjectEndpointGroup
from pileus.identity.projects.models import Project
from pileus.kernel.db import Base
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call


class Shown(NamedTuple):
    """`row` says it, and may not be in the database (yet)."""

    project: Project
    row: ProjectEndpoint | ProjectEndpointGroup

    def policy_target(self) -> dict[str, object]:
        return self.project.policy_target()


def add(call: Call, target: Shown) -> None:
    call.db.merge(target.row)


def check(call: Call, target: Shown) -> None:
    """Raises NotFound."""
    _held(call, target)


def remove(call: Call, target: Shown) -> None:
    call.db.delete(_held(call, target))


def _held(call: Call, target: Shown) -> Base:
    """The row of the database. Raises NotFound."""
    row = call.db.get(type(target.row), target.row.key)
    if row is None:
        raise NotFound(f"{' and '.join(target.row.key)} are not associated.")
    return row
