"""Objects as the API shows them."""

from pileus.image.metadefs.contents import times
from pileus.image.metadefs.names import address
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.objects.models import MetadefObject
from pileus.kernel.http.call import Json


def view(namespace: Namespace, item: MetadefObject, prefix: str = "") -> Json:
    """`prefix` goes before the names of properties."""
    return {
        "name": item.name,
        **({"description": item.description} if item.description is not None else {}),
        "properties": {prefix + name: definition for name, definition in item.properties.items()},
        "required": [prefix + name for name in item.required],
        **times(item),
        "self": address(namespace.namespace, "objects", item.name),
        "schema": "/v2/schemas/metadefs/object",
    }
