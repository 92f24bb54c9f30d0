"""/v2/info: what this cloud's image service can do."""

from pileus.image.drivers.base import Stores
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def imports(call: Call) -> Json:
    """None yet: data comes by upload alone."""
    return {"import-methods": {"description": "Import methods available.", "type": "array", "value": []}}


def stores(call: Call) -> Json:
    name = call.cloud.part(Stores).default.name
    return {"stores": [{"id": name, "description": "Where images' data is kept", "default": "true"}]}


ROUTES = (
    Route("GET", "/v2/info/import", imports, "get_images"),
    Route("GET", "/v2/info/stores", stores, "get_images"),
)
