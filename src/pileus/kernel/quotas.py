"""Quotas: limits from one source for all services, usage counted from the rows themselves in the same transaction as the insert."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Select, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pileus.kernel.db import Base, Database

UNLIMITED = -1
DEFAULT_CLASS = "class:default"  # in place of a project's id, which has no colon: what all projects have by default
Projects = Sequence[str] | Select[Any]  # ids, or the query for them: what `column.in_()` takes
Usage = Callable[[Projects], Mapping[str, int]]  # of each resource, by these projects together


class QuotaLimit(Base):
    """A project's own limit, or that of the default class; without a row the service's configuration holds."""

    __tablename__ = "quota_limits"
    service: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(String(64), primary_key=True)
    hard_limit: Mapped[int]


class Exceeded(Exception):
    """`short` maps each resource over its limit to (asked, used, limit)."""

    def __init__(self, short: Mapping[str, tuple[int, int, int]]) -> None:
        self.short = short
        parts = [
            f"{name}: requested {asked}, used {used}, limit {limit}" for name, (asked, used, limit) in short.items()
        ]
        super().__init__("Quota exceeded for " + "; ".join(parts))


@dataclass(frozen=True)
class Quotas:
    """What one service limits. `service` is its type in the catalog; `names`: resources that unified limits call otherwise."""

    service: str
    names: Mapping[str, str] = field(default_factory=dict)


class Bound(NamedTuple):
    """How much of each resource `projects` may have together; -1 is any number."""

    projects: Projects
    limits: dict[str, int]


class LimitSource(Protocol):
    """Where limits come from. `defaults` are the service's configuration: only what is named there is limited."""

    def bounds(self, db: Session, quotas: Quotas, project_id: str, defaults: Mapping[str, int]) -> Sequence[Bound]:
        """All that hold for a request of the project, its own limits first."""

    def projects(self, db: Session, quotas: Quotas) -> Sequence[str]:
        """Those that have limits of their own."""

    def set(self, db: Session, quotas: Quotas, project_id: str, values: Mapping[str, int]) -> None:
        """Raises Forbidden where limits are not the service's to set."""

    def reset(self, db: Session, quotas: Quotas, project_id: str) -> None:
        """Back to the defaults. Raises Forbidden likewise."""


class StoredLimits:
    """Each service keeps its own: the project's rows, over those of the default class."""

    def bounds(self, db: Session, quotas: Quotas, project_id: str, defaults: Mapping[str, int]) -> Sequence[Bound]:
        query = select(QuotaLimit.project_id, QuotaLimit.resource, QuotaLimit.hard_limit).where(
            QuotaLimit.service == quotas.service, QuotaLimit.project_id.in_((DEFAULT_CLASS, project_id))
        )
        found = dict(defaults)
        for _, resource, limit in sorted(db.execute(query), key=lambda row: row.project_id != DEFAULT_CLASS):
            if resource in found:
                found[resource] = limit
        return [Bound((project_id,), found)]

    def projects(self, db: Session, quotas: Quotas) -> Sequence[str]:
        query = select(QuotaLimit.project_id).where(
            QuotaLimit.service == quotas.service, QuotaLimit.project_id != DEFAULT_CLASS
        )
        return db.scalars(query.distinct().order_by(QuotaLimit.project_id)).all()

    def set(self, db: Session, quotas: Quotas, project_id: str, values: Mapping[str, int]) -> None:
        for resource, limit in values.items():
            db.merge(QuotaLimit(service=quotas.service, project_id=project_id, resource=resource, hard_limit=limit))

    def reset(self, db: Session, quotas: Quotas, project_id: str) -> None:
        db.execute(delete(QuotaLimit).where(QuotaLimit.service == quotas.service, QuotaLimit.project_id == project_id))


STORED = StoredLimits()


def use(db: Database, source: LimitSource) -> None:
    """From now on the limits of all services come from there: whoever holds a session of that database finds it."""
    db.info[LimitSource] = source


def source_of(db: Session) -> LimitSource:
    found: LimitSource = db.info.get(LimitSource, STORED)
    return found


def bounds(db: Session, quotas: Quotas, project_id: str, defaults: Mapping[str, int]) -> Sequence[Bound]:
    return source_of(db).bounds(db, quotas, project_id, defaults)


def limits(db: Session, quotas: Quotas, project_id: str, defaults: Mapping[str, int]) -> dict[str, int]:
    """The project's own."""
    return bounds(db, quotas, project_id, defaults)[0].limits


def enforce(bounds: Sequence[Bound], usage: Usage, asked: Mapping[str, int]) -> None:
    """Raise Exceeded when what is asked for does not fit into each of the bounds. Counts nothing where nothing is limited."""
    for bound in bounds:
        limited = {name: limit for name, limit in bound.limits.items() if name in asked and limit != UNLIMITED}
        if limited:
            check(limited, usage(bound.projects), asked)


def check(limits: Mapping[str, int], used: Mapping[str, int], asked: Mapping[str, int]) -> None:
    """Raise Exceeded when any `used + asked` is over its limit."""
    short = {
        name: (count, used.get(name, 0), limits[name])
        for name, count in asked.items()
        if name in limits and limits[name] != UNLIMITED and count > 0 and used.get(name, 0) + count > limits[name]
    }
    if short:
        raise Exceeded(short)
