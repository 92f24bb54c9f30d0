"""Creating, changing and deleting namespaces."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.metadefs import names
from pileus.image.metadefs.contents import check_unprotected
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.schemas import NamespaceBody
from pileus.image.metadefs.objects import actions as objects
from pileus.image.metadefs.properties import actions as properties
from pileus.image.metadefs.resource_types import actions as associations
from pileus.image.metadefs.tags import actions as tags
from pileus.kernel import clock
from pileus.kernel.errors import Conflict
from pileus.kernel.http.schema import Unset


def create(db: Session, owner: str | None, body: NamespaceBody) -> Namespace:
    """With all that the body has for it. `owner` is the project that it belongs to unless the body names another."""
    names.check(body.namespace, "$.namespace")
    _check_free(db, body.namespace)
    namespace = Namespace(owner=owner, associations=[])
    _set(namespace, body)
    db.add(namespace)
    db.flush()
    if not isinstance(body.resource_type_associations, Unset):
        associations.add(db, namespace, body.resource_type_associations)
    if not isinstance(body.properties, Unset):
        properties.add(db, namespace, body.properties)
    if not isinstance(body.objects, Unset):
        objects.add(db, namespace, body.objects)
    if not isinstance(body.tags, Unset):
        tags.add(db, namespace, [tag.name for tag in body.tags])
    db.flush()
    return namespace


def update(db: Session, namespace: Namespace, body: NamespaceBody) -> None:
    """What the body leaves out takes its default; but the owner, and what is in the namespace, stay."""
    if body.namespace != namespace.namespace:
        names.check(body.namespace, "$.namespace")
        _check_free(db, body.namespace)
    _set(namespace, body)
    namespace.updated_at = clock.now()


def delete(db: Session, namespace: Namespace) -> None:
    """The database takes away what is in it."""
    check_unprotected(namespace)
    db.delete(namespace)


def _set(namespace: Namespace, body: NamespaceBody) -> None:
    namespace.namespace = body.namespace
    namespace.display_name = None if isinstance(body.display_name, Unset) else body.display_name
    namespace.description = None if isinstance(body.description, Unset) else body.description
    namespace.visibility = body.visibility
    namespace.protected = body.protected
    if not isinstance(body.owner, Unset):
        namespace.owner = body.owner


def _check_free(db: Session, name: str) -> None:
    if db.scalar(select(Namespace.id).where(Namespace.namespace == name)) is not None:
        raise Conflict(f"A metadata definition namespace with name {name} exists already.")
