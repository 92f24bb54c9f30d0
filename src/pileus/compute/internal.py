"""Compute's door for the other services."""

from typing import Protocol, runtime_checkable

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.servers.models import Server
from pileus.network.internal import PortFacts


@runtime_checkable
class ConfigDrives(Protocol):
    """The metadata service's half of a boot: the files of a server's config drive, path -> content."""

    def files(self, db: Session, server: Server, ports: list[PortFacts]) -> dict[str, bytes]: ...


def server(db: Session, server_id: str) -> Server | None:
    """A server that is not on its way out."""
    return db.scalar(select(Server).where(Server.id == server_id, Server.wanted != "deleted"))
