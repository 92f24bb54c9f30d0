"""Quotas: limits per project in one table, usage counted from the rows themselves in the same transaction as the insert."""

from collections.abc import Mapping

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pileus.kernel.db import Base

UNLIMITED = -1


class QuotaLimit(Base):
    """A project's own limit; without a row the service's default holds."""

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


def limits(db: Session, service: str, project_id: str, defaults: Mapping[str, int]) -> dict[str, int]:
    rows = db.execute(
        select(QuotaLimit.resource, QuotaLimit.hard_limit).where(
            QuotaLimit.service == service, QuotaLimit.project_id == project_id
        )
    )
    return {**defaults, **{resource: limit for resource, limit in rows if resource in defaults}}


def check(limits: Mapping[str, int], used: Mapping[str, int], asked: Mapping[str, int]) -> None:
    """Raise Exceeded when any `used + asked` is over its limit."""
    short = {
        name: (count, used.get(name, 0), limits[name])
        for name, count in asked.items()
        if name in limits and limits[name] != UNLIMITED and count > 0 and used.get(name, 0) + count > limits[name]
    }
    if short:
        raise Exceeded(short)


def set_limits(db: Session, service: str, project_id: str, values: Mapping[str, int]) -> None:
    for resource, limit in values.items():
        db.merge(QuotaLimit(service=service, project_id=project_id, resource=resource, hard_limit=limit))


def reset(db: Session, service: str, project_id: str) -> None:
    db.execute(delete(QuotaLimit).where(QuotaLimit.service == service, QuotaLimit.project_id == project_id))
