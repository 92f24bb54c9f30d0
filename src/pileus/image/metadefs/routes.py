"""All operations on metadata definitions."""

from pileus.image.metadefs.namespaces.routes import ROUTES as NAMESPACES
from pileus.image.metadefs.objects.routes import ROUTES as OBJECTS
from pileus.image.metadefs.properties.routes import ROUTES as PROPERTIES
from pileus.image.metadefs.resource_types.routes import ROUTES as RESOURCE_TYPES
from pileus.image.metadefs.tags.routes import ROUTES as TAGS

ROUTES = (*NAMESPACES, *OBJECTS, *PROPERTIES, *RESOURCE_TYPES, *TAGS)
