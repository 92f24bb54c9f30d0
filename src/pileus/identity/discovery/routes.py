"""Which versions of identity's API there are, for clients that ask before they log in."""

from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import PUBLIC, Route


def versions(call: Call) -> Reply:
    return Reply({"versions": {"values": [_version(call)]}}, status=300)


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
    Route("GET", "/", versions, PUBLIC),
    Route("GET", "/v3", version, PUBLIC),
)
