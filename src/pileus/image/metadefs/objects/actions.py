"""Defining objects."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pileus.image.metadefs import names
from pileus.image.metadefs.contents import check_new
from pileus.image.metadefs.definitions import stored
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.schemas import NestedObject
from pileus.image.metadefs.objects.models import MetadefObject
from pileus.image.metadefs.objects.schemas import ObjectBody
from pileus.kernel.http.schema import Unset


def add(db: Session, namespace: Namespace, given: Sequence[NestedObject]) -> None:
    """To a namespace that is new."""
    check_new(db, MetadefObject, namespace, [body.name for body in given])
    for at, body in enumerate(given):
        names.check(body.name, f"$.objects[{at}].name")
        db.add(made(namespace, body))


def made(namespace: Namespace, body: NestedObject | ObjectBody) -> MetadefObject:
    item = MetadefObject(namespace_id=namespace.id, name=body.name)
    fill(item, body)
    return item


def fill(item: MetadefObject, body: NestedObject | ObjectBody) -> None:
    """All but the name: what the body leaves out is gone."""
    item.description = None if isinstance(body.description, Unset) else body.description
    item.properties = {} if isinstance(body.properties, Unset) else stored(body.properties)
    item.required = [] if isinstance(body.required, Unset) else list(dict.fromkeys(body.required))
