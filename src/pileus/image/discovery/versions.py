"""Which versions of the image API are spoken. Names are documentation: clients only look for v2.

Each minor version stands for what it added; the list ends where a later one would promise what is not there
(2.9 and on: imports, several stores, the cache).
"""

from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import PUBLIC, Route

SPOKEN = ("2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")


def documents(call: Call) -> Json:
    links = [{"rel": "self", "href": call.url("/v2/")}]
    return {
        "versions": [
            {"id": f"v{number}", "status": "CURRENT" if number == SPOKEN[0] else "SUPPORTED", "links": links}
            for number in SPOKEN
        ]
    }


def choices(call: Call) -> Reply:
    return Reply(documents(call), status=300)


ROUTES = (
    Route("GET", "/", choices, PUBLIC),
    Route("GET", "/v2", choices, PUBLIC),
    Route("GET", "/versions", documents, PUBLIC),
)
