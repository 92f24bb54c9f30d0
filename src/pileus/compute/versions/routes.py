"""Version documents (Compute API, API versions): what clients read before they log in."""

from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route

MEDIA = {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}


def document(call: Call) -> Json:
    spoken = call.manifest.microversions
    assert spoken is not None
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(spoken.highest),
        "min_version": str(spoken.lowest),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": call.url("/v2.1/")}],
    }


def index(call: Call) -> Json:
    return {"versions": [document(call)]}


def show(call: Call) -> Json:
    return {"version": document(call) | {"media-types": [MEDIA]}}


def by_name(call: Call, version_id: str) -> Json:
    """`/v2.1/versions/{id}`, as old clients ask."""
    if version_id not in ("v2.1", "2.1"):
        raise NotFound(f"Version {version_id} could not be found.")
    return show(call)


ROUTES = (
    Route("GET", "/", index, PUBLIC),
    Route("GET", "/v2.1", show, PUBLIC),
    Route("GET", "/v2.1/versions/{version_id}", by_name, "anyone"),
)
