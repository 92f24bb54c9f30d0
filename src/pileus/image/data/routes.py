"""/v2/images/{image_id}/file and /stage: the data of images. Streams: they check their rules themselves, inside a transaction."""

from pileus.image.data.download import download
from pileus.image.data.upload import stage, upload
from pileus.kernel.http.routes import Route

PATH = "/v2/images/{image_id}/file"

ROUTES = (
    Route("PUT", PATH, upload, "upload_image", stream=True, status=204),
    Route("GET", PATH, download, "download_image", stream=True),
    Route("PUT", "/v2/images/{image_id}/stage", stage, "modify_image", stream=True, status=204),
)
