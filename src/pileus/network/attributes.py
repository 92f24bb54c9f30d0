"""Standard attributes: what every resource of this service has, and the counter of changes that agents watch."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, delete, event, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, new_id


class Wanted:
    """Mixin of tables that say what hosts must have: each change of a row raises the generation."""


class StandardAttributes(Wanted):
    """Columns of every resource; `revision_number` and `updated_at` follow each change by themselves."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    project_id: Mapped[str] = mapped_column(String(64), default="", index=True)
    description: Mapped[str] = mapped_column(String(255), default="")
    revision_number: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    def touch(self) -> None:
        """Something that belongs to the row but is kept elsewhere changed (tags, addresses)."""
        self.updated_at = clock.now()

    def policy_target(self) -> dict[str, object]:
        return {"id": self.id, "project_id": self.project_id, "tenant_id": self.project_id}


class Named(StandardAttributes):
    name: Mapped[str] = mapped_column(String(255), default="")


class Generation(Base):
    """One row: how often the wanted state of any host changed."""

    __tablename__ = "network_generation"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(default=1)


class Tag(Base):
    """A tag of any resource; ids are unique over all kinds."""

    __tablename__ = "network_tags"
    resource_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    tag: Mapped[str] = mapped_column(String(255), primary_key=True)

    @classmethod
    def forget(cls, db: Session, resource_id: str) -> None:
        """The resource goes, its tags go."""
        db.execute(delete(cls).where(cls.resource_id == resource_id))


def bump(db: Session) -> None:
    """The wanted state changed."""
    done: Any = db.execute(update(Generation).where(Generation.id == 1).values(value=Generation.value + 1))
    if done.rowcount == 0:
        db.execute(insert(Generation).values(id=1, value=1))


def generation(db: Session) -> int:
    return db.scalar(select(Generation.value).where(Generation.id == 1)) or 0


def _before_flush(session: Session, _context: object, _instances: object) -> None:
    changed = any(isinstance(row, Wanted) for row in session.new) or any(
        isinstance(row, Wanted) for row in session.deleted
    )
    for row in session.dirty:
        if isinstance(row, Wanted) and session.is_modified(row):
            changed = True
            if isinstance(row, StandardAttributes):
                row.revision_number += 1
                row.updated_at = clock.now()
    if changed:
        bump(session)


event.listen(Session, "before_flush", _before_flush)
