"""`python -m pileus.migrations MESSAGE`: a new revision from what the models have and the last revision lacks."""

import sys
import tempfile
from pathlib import Path

from pileus.kernel.db import Database
from pileus.migrations.alembic import run_upgrade, write_revision

with tempfile.TemporaryDirectory() as folder:
    database = Database(f"sqlite:///{Path(folder) / 'scratch.sqlite'}")
    run_upgrade(database)
    write_revision(database, " ".join(sys.argv[1:]) or "changes")
    database.close()
