"""Seeds are sown once: what an operator deleted does not come back with the next start."""

from collections.abc import Callable

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel.db import Base, Database


class Seed(Base):
    """A service whose first rows were written, and which version of its seeds that was."""

    __tablename__ = "seeds"
    service: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]


def once(db: Database, service: str, version: int, sow: Callable[[], None]) -> None:
    """Run `sow` unless this version of the service's seeds was recorded. Killed in between, it runs again: it is idempotent."""
    with db.reading() as session:
        held = session.get(Seed, service)
        if held is not None and held.version >= version:
            return
    sow()
    with db.writing() as session:
        session.merge(Seed(service=service, version=version))
