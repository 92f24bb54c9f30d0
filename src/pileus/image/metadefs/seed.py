"""The well-known namespaces: `wellknown/<name>.toml`, each in the form of the body that creates one."""

import tomllib
from pathlib import Path

from sqlalchemy import select

from pileus.image.metadefs.namespaces import actions
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.schemas import NamespaceBody
from pileus.kernel.cloud import Cloud
from pileus.kernel.http import schema
from pileus.kernel.microversion import Version

FOLDER = Path(__file__).with_name("wellknown")
OWNER = "admin"  # as the API's documentation shows them; no project has this id


def wellknown() -> list[NamespaceBody]:
    """All of them public and protected."""
    files = sorted(FOLDER.glob("*.toml"))
    given = [{"visibility": "public", "protected": True} | tomllib.loads(file.read_text()) for file in files]
    return [schema.read(body, NamespaceBody, Version(0, 0), lax=False) for body in given]


def sow(cloud: Cloud) -> None:
    """Those that are not there. One that is there stays as it is: an operator may have changed it."""
    with cloud.db.writing() as db:
        for body in wellknown():
            if db.scalar(select(Namespace.id).where(Namespace.namespace == body.namespace)) is None:
                actions.create(db, OWNER, body)
