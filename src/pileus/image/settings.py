"""Section `[image]` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ImageSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Sizes in bytes unless the name says otherwise; times in seconds."""

    store: Annotated[str, Meta(description="driver that keeps the images' data")] = "file"
    store_folder: Annotated[str, Meta(description="folder of the file store; default images in the state folder")] = ""
    max_size: Annotated[int, Meta(ge=0, description="largest image, bytes; 0: no limit")] = 0
    block_size: Annotated[int, Meta(ge=65536, le=64 << 20, description="bytes read, hashed and written at once")] = (
        1 << 20
    )
    upload_lease: Annotated[
        int, Meta(ge=3, le=3600, description="seconds until an upload whose process died is given up")
    ] = 30
    upload_idle: Annotated[int, Meta(ge=1, description="seconds that an upload may pause before it is refused")] = 300
    quota_count: Annotated[int, Meta(ge=-1, description="images a project may have; -1: no limit")] = -1
    quota_uploading: Annotated[int, Meta(ge=-1, description="uploads of a project at a time; -1: no limit")] = -1
    quota_size_mib: Annotated[int, Meta(ge=-1, description="MiB of image data a project may have; -1: no limit")] = -1
    max_properties: Annotated[int, Meta(ge=0, description="custom properties an image may have")] = 128
    max_tags: Annotated[int, Meta(ge=0, description="tags an image may have")] = 128
    max_members: Annotated[int, Meta(ge=0, description="projects an image may be shared with")] = 128
