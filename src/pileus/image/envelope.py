"""The forms of image's errors: JSON for clients that ask for it, HTML for all others, where they look for the message."""

from html import escape

from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Json


def error_body(error: ApiError, request_id: str) -> Json:
    return {"message": error.message, "code": f"{error.status} {error.title}", "title": error.title}


def error_page(error: ApiError) -> str:
    """Status, then message. Clients take the tags away and show the text, so quotes stay quotes: none is in an attribute."""
    status = escape(f"{error.status} {error.title}", quote=False)
    message = escape(error.message, quote=False)
    return (
        f"<html>\n <head>\n  <title>{status}</title>\n </head>\n"
        f" <body>\n  <h1>{status}</h1>\n  {message}<br /><br />\n </body>\n</html>\n"
    )
