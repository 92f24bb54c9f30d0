"""Adding tags."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pileus.image.metadefs import names
from pileus.image.metadefs.contents import check_new
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.tags.models import MetadefTag


def add(db: Session, namespace: Namespace, given: Sequence[str]) -> list[MetadefTag]:
    """Raises Conflict for a tag that is there."""
    check_new(db, MetadefTag, namespace, given)
    tags = [
        MetadefTag(namespace_id=namespace.id, name=names.check(name, f"$.tags[{at}].name"))
        for at, name in enumerate(given)
    ]
    db.add_all(tags)
    db.flush()
    return tags
