"""/v2/info/import: which ways to import this cloud has."""

from pileus.image.settings import ImageSettings
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def imports(call: Call) -> Json:
    methods = list(call.cloud.settings(ImageSettings).import_methods)
    return {"import-methods": {"description": "Import methods available.", "type": "array", "value": methods}}


ROUTES = (Route("GET", "/v2/info/import", imports, "get_images"),)
