"""Alembic's entry: runs the revisions on the database that it was given."""

from alembic import context

from pileus.composition import MANIFESTS
from pileus.kernel.db import Base, Database

database = context.config.attributes["database"]
assert isinstance(database, Database)
assert MANIFESTS  # importing the services is what fills the metadata
with database.engine.connect() as connection:
    if database.is_sqlite:  # tables are made anew there: what points at them must not go with the old ones
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=database.is_sqlite,
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if database.is_sqlite:
        connection.invalidate()
