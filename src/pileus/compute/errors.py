"""How compute words its errors: `{"itemNotFound": {"code": 404, "message": …}}` (Compute API, Faults)."""

from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Json

NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "computeFault",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    500: "computeFault",
    501: "notImplemented",
    503: "serviceUnavailable",
}


def error_body(error: ApiError, request_id: str) -> Json:
    if error.status == 401:
        return {"error": {"code": 401, "title": error.title, "message": error.message}}
    return {NAMES.get(error.status, "computeFault"): {"code": error.status, "message": error.message}}
