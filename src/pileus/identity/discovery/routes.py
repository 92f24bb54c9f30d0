"""Which versions of identity's API there are, for clients that ask before they log in."""

from pileus.identity.discovery.replies import VERSION, VERSIONS
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route


def versions(call: Call) -> Json:
    return {"versions": {"values": [_version(call)]}}


def version(call: Call) -> Json:
    return {"version": _version(call)}


def _version(call: Call) -> Json:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": call.url("/v3/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


ROUTES = (
    Route("GET", "/", versions, PUBLIC, status=300, reply=VERSIONS),
    Route("GET", "/v3", version, PUBLIC, reply=VERSION),
)
