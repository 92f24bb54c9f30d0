"""Which versions of the image API are spoken. Names are documentation: clients only look for v2.

Each minor version stands for what it added: imports, several stores, the cache, locations; all of that is here.
"""

from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import PUBLIC, Route

SPOKEN = tuple(f"2.{minor}" for minor in range(18, -1, -1))


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
