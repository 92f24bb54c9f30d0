"""Defining properties."""

from sqlalchemy.orm import Session

from pileus.image.metadefs import names
from pileus.image.metadefs.definitions import Definitions, keywords
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.properties.models import MetadefProperty
from pileus.kernel.errors import BadRequest


def add(db: Session, namespace: Namespace, given: Definitions) -> None:
    """To a namespace that is new."""
    for name, definition in given.items():
        place = f"$.properties['{name}']"
        if not 1 <= len(name) <= names.LONGEST:
            raise BadRequest(f"Invalid input: a name has 1 to {names.LONGEST} characters - at `{place}`")
        names.check(name, place)
        db.add(MetadefProperty(namespace_id=namespace.id, name=name, definition=keywords(definition)))
