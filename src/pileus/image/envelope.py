"""The form of image's errors, as the API gives it to clients that accept JSON."""

from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Json


def error_body(error: ApiError, request_id: str) -> Json:
    return {"message": error.message, "code": f"{error.status} {error.title}", "title": error.title}
