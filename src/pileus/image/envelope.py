"""The forms of image's answers: its lists; its errors, JSON for clients that ask for it, HTML for all others, where they
look for the message.
"""

from collections.abc import Callable
from html import escape
from typing import TypeVar
from urllib.parse import urlencode

from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Page

T = TypeVar("T")


def page_body(
    call: Call, page: Page[T], path: str, schema: str, view: Callable[[T], Json], marker: Callable[[T], str]
) -> Json:
    """`{collection: [...], first, next?, schema}`: `schema` is a path that ends with the collection's name."""
    rest = [(name, value) for name, value in call.query if name != "marker"]
    body: Json = {
        schema.rpartition("/")[2]: [view(item) for item in page.items],
        "first": path + (f"?{urlencode(rest)}" if rest else ""),
        "schema": schema,
    }
    if page.more and page.items:
        body["next"] = f"{path}?{urlencode([*rest, ('marker', marker(page.items[-1]))])}"
    return body


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
