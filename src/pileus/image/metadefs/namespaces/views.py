"""Namespaces as the API shows them. Links are paths below the endpoint: clients know where that is."""

from sqlalchemy.orm import Session

from pileus.image.metadefs.contents import all_of, times
from pileus.image.metadefs.names import address
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.objects import views as objects
from pileus.image.metadefs.objects.models import MetadefObject
from pileus.image.metadefs.properties.models import MetadefProperty
from pileus.image.metadefs.resource_types import views as associations
from pileus.image.metadefs.tags.models import MetadefTag
from pileus.kernel.http.call import Json


def attributes(namespace: Namespace) -> Json:
    """Without what is in it."""
    told = {
        "display_name": namespace.display_name,
        "description": namespace.description,
        "owner": namespace.owner,
    }
    return {
        "namespace": namespace.namespace,
        **{name: value for name, value in told.items() if value is not None},
        "visibility": namespace.visibility,
        "protected": namespace.protected,
        **times(namespace),
        "self": address(namespace.namespace),
        "schema": "/v2/schemas/metadefs/namespace",
    }


def brief(namespace: Namespace) -> Json:
    """As lists have it: with the types of resources, which clients choose by."""
    held = [associations.view(association) for association in namespace.associations]
    return attributes(namespace) | {"resource_type_associations": held}


def whole(db: Session, namespace: Namespace, resource_type: str | None = None) -> Json:
    """With all that is in it; names of properties as they are on resources of `resource_type`."""
    prefix = namespace.prefix_for(resource_type) or ""
    body = brief(namespace)
    found = all_of(db, namespace, MetadefObject)
    if found:
        body["objects"] = [objects.view(namespace, item, prefix) for item in found]
    properties = all_of(db, namespace, MetadefProperty)
    if properties:
        body["properties"] = {prefix + item.name: item.definition for item in properties}
    tags = all_of(db, namespace, MetadefTag)
    if tags:
        body["tags"] = [{"name": tag.name} for tag in tags]
    return body
