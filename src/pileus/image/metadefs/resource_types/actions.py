"""Saying which types of resources a namespace is for."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.metadefs import names
from pileus.image.metadefs.namespaces.models import Association, Namespace, ResourceType
from pileus.image.metadefs.namespaces.schemas import NestedAssociation
from pileus.image.metadefs.resource_types.schemas import AssociationBody
from pileus.kernel.errors import Conflict
from pileus.kernel.http.schema import Unset


def add(
    db: Session, namespace: Namespace, given: Sequence[NestedAssociation | AssociationBody], place: str = ""
) -> list[Association]:
    """A type that is not known yet becomes known. Raises Conflict for one that the namespace is for already."""
    types = {known.name: known for known in db.scalars(select(ResourceType))}  # a cloud has some dozens
    held = {association.name for association in namespace.associations}
    made = []
    for at, body in enumerate(given):
        names.check(body.name, place or f"$.resource_type_associations[{at}].name")
        if body.name in held:
            raise Conflict(f"Namespace {namespace.namespace} is associated with resource type {body.name} already.")
        held.add(body.name)
        association = Association(
            resource_type=types.get(body.name) or ResourceType(name=body.name),
            prefix=None if isinstance(body.prefix, Unset) else body.prefix,
            properties_target=None if isinstance(body.properties_target, Unset) else body.properties_target,
        )
        namespace.associations.append(association)
        made.append(association)
    db.flush()
    return made
