"""Types of resources as the API shows them."""

from pileus.image.metadefs.contents import times
from pileus.image.metadefs.namespaces.models import Association
from pileus.kernel.http.call import Json


def view(association: Association) -> Json:
    told = {"prefix": association.prefix, "properties_target": association.properties_target}
    return {
        "name": association.name,
        **{name: value for name, value in told.items() if value is not None},
        **times(association),
    }
