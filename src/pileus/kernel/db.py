"""The database: one engine a process, short transactions, the same SQL on SQLite and MariaDB.

On SQLite a transaction that writes begins with `BEGIN IMMEDIATE`, so that two writers queue instead of failing half way, and
queries run right in the event loop, which is twice as fast as a thread hop (docs/decisions/0002). Other databases run in threads.
What was answered is on the disk: each commit is synced (`synchronous=FULL`, under a millisecond on the machines tried).
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")
POOLED, MOST_AT_ONCE = 8, 64  # connections of one process to a database server: kept, and at most
ATTEMPTS = 5  # of a transaction that the database refused for now (deadlock, lock wait)
log = logging.getLogger(__name__)
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables of all services: one schema, so that one transaction can span them."""

    metadata = MetaData(naming_convention=NAMES)
    # Microseconds everywhere: leases and orders depend on them, and MariaDB's plain DATETIME has whole seconds.
    type_annotation_map: ClassVar = {datetime: DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")}


LOST_FOR_NOW = {1205, 1213, 2006, 2013}  # MariaDB: lock wait, deadlock, connection gone


def is_passing(error: OperationalError) -> bool:
    """Will the same transaction, run again, probably succeed? A missing table or a full disk will not."""
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code in LOST_FOR_NOW or (isinstance(code, str) and ("locked" in code or "busy" in code))


def new_id() -> str:
    """A UUID with dashes: servers, ports, images."""
    return str(uuid.uuid4())


def new_hex_id() -> str:
    """A UUID without dashes: identity's form."""
    return uuid.uuid4().hex


class Database:
    def __init__(self, url: str, *, echo: bool = False) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.info: dict[object, object] = {}  # what every session of it carries
        if self.is_sqlite:
            self._reader = _sqlite_engine(url, "BEGIN", echo)
            self._writer = _sqlite_engine(url, "BEGIN IMMEDIATE", echo)
        else:
            self._reader = self._writer = create_engine(
                url,
                echo=echo,
                enable_from_linting=False,
                pool_pre_ping=True,
                pool_recycle=1800,
                max_overflow=MOST_AT_ONCE - POOLED,
                pool_size=POOLED,
                # Turned into joins, our "is there one with room" conditions read every row before the first is given.
                connect_args={"init_command": "SET SESSION optimizer_switch='exists_to_in=off'"},
                isolation_level="READ COMMITTED",
            )

    @property
    def engine(self) -> Engine:
        return self._writer

    def session(self, *, write: bool) -> Session:
        engine = self._writer if write else self._reader
        return Session(engine, expire_on_commit=False, autoflush=True, info=self.info)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.session(write=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self.session(write=True) as session, session.begin():
            yield session

    def transact(self, work: Callable[[Session], T]) -> T:
        """`work` in one transaction, again from the start when the database broke a deadlock at its cost."""
        for _ in range(ATTEMPTS - 1):
            try:
                with self.writing() as session:
                    return work(session)
            except OperationalError as error:
                if not is_passing(error):
                    raise
                log.info("again after %s", error.orig)
        with self.writing() as session:
            return work(session)

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()


def _sqlite_engine(url: str, begin: str, echo: bool) -> Engine:
    engine = create_engine(
        url, echo=echo, enable_from_linting=False, connect_args={"check_same_thread": False, "timeout": 30}
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        raw: Any = connection
        raw.isolation_level = None  # SQLAlchemy emits BEGIN itself, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-8000",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if begin == "BEGIN":  # waits for nothing and never fails: the driver alone is half of a small query cheaper
            connection.connection.dbapi_connection.execute(begin)
        else:
            connection.exec_driver_sql(begin)

    return engine
