"""Placement, as the composition mounts it."""

from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.kernel.manifest import Manifest
from pileus.kernel.microversion import Microversions, Version

MICROVERSIONS = Microversions("placement", Version(1, 0), Version(1, 39))


def error_body(error: ApiError, request_id: str) -> Json:
    entry = {"status": error.status, "title": error.title, "detail": error.message, "request_id": request_id}
    return {"errors": [entry | ({"code": error.kind} if error.kind else {})]}


def root(call: Call) -> Json:
    entry = {
        "id": "v1.0",
        "min_version": str(MICROVERSIONS.lowest),
        "max_version": str(MICROVERSIONS.highest),
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return {"versions": [entry]}


MANIFEST = Manifest(
    name="placement",
    title="Placement",
    routes=(Route("GET", "/", root, PUBLIC),),
    policies=(),
    error_body=error_body,
    types={"placement": ""},
    microversions=MICROVERSIONS,
    lax_types=False,
)
