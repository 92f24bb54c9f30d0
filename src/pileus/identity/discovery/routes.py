"""Which versions of identity's API there are, for clients that ask before they log in."""

from pileus.identity.discovery import home
from pileus.identity.discovery.replies import VERSION, VERSIONS
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import PUBLIC, Route

VARY = {"vary": "Accept"}


def versions(call: Call) -> Reply:
    return _home(call) or Reply({"versions": {"values": [_version(call)]}}, headers=VARY)


def version(call: Call) -> Reply:
    return _home(call) or Reply({"version": _version(call)}, headers=VARY)


def _home(call: Call) -> Reply | None:
    """For clients that ask for it."""
    accepted = {part.partition(";")[0].strip() for part in call.request.headers.get("accept", "").split(",")}
    if home.MEDIA_TYPE not in accepted:
        return None
    headers = {"content-type": home.MEDIA_TYPE, **VARY}
    return Reply(home.document(call.manifest.routes), status=200, headers=headers)


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
