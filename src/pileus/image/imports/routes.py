"""POST /v2/images/{image_id}/import."""

from pileus.image.images.queries import Seen, load
from pileus.image.imports.request import ask
from pileus.image.imports.schemas import ImportBody
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import Route


def create(call: Call, seen: Seen, body: ImportBody) -> None:
    ask(call, seen, body)


ROUTES = (Route("POST", "/v2/images/{image_id}/import", create, "get_image", load=load, status=202),)
