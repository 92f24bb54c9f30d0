"""Identity's limits as the limits of every service: `[cloud] quotas = "unified"`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from pileus.identity.catalog import builtin
from pileus.identity.limits import enforcement
from pileus.identity.limits.enforcement import Model
from pileus.identity.limits.models import Limit
from pileus.identity.projects.models import Project, ProjectAncestor
from pileus.identity.registered_limits.models import EVERYWHERE, RegisteredLimit
from pileus.kernel.errors import Forbidden
from pileus.kernel.quotas import Bound, Quotas


class Holder(NamedTuple):
    """A project or domain in the line from the one that asks up to its domain."""

    id: str
    is_domain: bool


class UnifiedLimits:
    """A project has its own limit, else the registered default; what is registered for the cloud's region goes before the rest.

    What nobody registered is limited by the service's configuration. In the strict model a project without a limit has no more than the
    one above it, and what a project and all below it use together is bounded by its limit.
    """

    def __init__(self, region: str, model: Model) -> None:
        self.region = region
        self.model = model

    def bounds(self, db: Session, quotas: Quotas, project_id: str, defaults: Mapping[str, int]) -> Sequence[Bound]:
        line = [Holder(project_id, False), *(self._above(db, project_id) if self.model.levels else ())]
        registered, own = self._read(db, quotas, [holder.id for holder in line])
        names = {name: quotas.names.get(name, name) for name in defaults}
        found: list[Bound] = []
        over: dict[str, int] = {}  # the limits above, from the domain down
        for holder in reversed(line):
            held = own.get(holder.id, {}) if holder.is_domain else registered | own.get(holder.id, {})
            limits = {name: held[unified] for name, unified in names.items() if unified in held}
            limits = {name: enforcement.lesser(limit, over.get(name, limit)) for name, limit in limits.items()}
            over |= limits
            found.append(Bound(_tree(holder.id) if self.model.levels else (holder.id,), limits))
        own_bound, *others = reversed(found)
        return [
            own_bound._replace(limits={**defaults, **own_bound.limits}),
            *(bound for bound in others if bound.limits),
        ]

    def projects(self, db: Session, quotas: Quotas) -> Sequence[str]:
        query = select(Limit.holder_id).join(Limit.registered).where(self._of(quotas), Limit.of_domain.is_(False))
        return db.scalars(query.distinct().order_by(Limit.holder_id)).all()

    def set(self, db: Session, quotas: Quotas, project_id: str, values: Mapping[str, int]) -> None:
        raise Forbidden("Limits are kept by identity: set them there (/v3/limits, /v3/registered_limits).")

    def reset(self, db: Session, quotas: Quotas, project_id: str) -> None:
        raise Forbidden("Limits are kept by identity: delete them there (/v3/limits).")

    def _of(self, quotas: Quotas) -> ColumnElement[bool]:
        return and_(
            RegisteredLimit.service_id == builtin.service_id(quotas.service),
            RegisteredLimit.region_id.in_((EVERYWHERE, self.region)),
        )

    def _read(
        self, db: Session, quotas: Quotas, holders: Sequence[str]
    ) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
        """Defaults by name, and by holder the limits of its own by name. One query."""
        held = and_(Limit.registered_limit_id == RegisteredLimit.id, Limit.holder_id.in_(holders))
        query = (
            select(
                RegisteredLimit.resource_name,
                RegisteredLimit.region_id,
                RegisteredLimit.default_limit,
                Limit.holder_id,
                Limit.resource_limit,
            )
            .outerjoin(Limit, held)
            .where(self._of(quotas))
        )
        rows = db.execute(query).all()
        regional = {row.resource_name for row in rows if row.region_id != EVERYWHERE}
        defaults: dict[str, int] = {}
        own: dict[str, dict[str, int]] = {}
        for name, region_id, default, holder_id, limit in rows:
            if region_id == EVERYWHERE and name in regional:
                continue
            defaults[name] = default
            if holder_id is not None:
                own.setdefault(holder_id, {})[name] = limit
        return defaults, own

    def _above(self, db: Session, project_id: str) -> list[Holder]:
        query = (
            select(Project.id, Project.is_domain)
            .join(ProjectAncestor, ProjectAncestor.ancestor_id == Project.id)
            .where(ProjectAncestor.project_id == project_id)
            .order_by(ProjectAncestor.distance)
        )
        return [Holder(*row) for row in db.execute(query)]


def _tree(root: str) -> Select[str]:
    """The ids of a project or domain and of all below it."""
    below = select(ProjectAncestor.project_id).where(ProjectAncestor.ancestor_id == root)
    return select(Project.id).where(or_(Project.id == root, Project.id.in_(below)))
