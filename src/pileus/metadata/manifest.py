"""Metadata, as the composition mounts it: alone on its own port."""

from pileus.compute.internal import ConfigDrives
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import ApiError
from pileus.kernel.http.call import Json
from pileus.kernel.manifest import Manifest
from pileus.metadata.asker import Secret
from pileus.metadata.documents.drive import Drives
from pileus.metadata.routes import ROUTES


def error_body(error: ApiError, request_id: str) -> Json:
    return {"error": {"code": error.status, "title": error.title, "message": error.message}}


def setup(cloud: Cloud) -> None:
    cloud.add(Secret(cloud.config.secret("metadata_secret")))
    cloud.add(Drives(cloud), ConfigDrives)


MANIFEST = Manifest(
    name="metadata",
    title="Metadata",
    routes=ROUTES,
    policies=(),
    error_body=error_body,
    types={},
    setup=setup,
    head_as_get=True,
)
