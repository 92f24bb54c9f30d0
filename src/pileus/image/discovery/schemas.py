"""/v2/schemas: JSON schemas of images and members, for clients that read them to learn the attributes."""

from typing import get_args

from pileus.image.images.attributes import COMMON, UUID, ContainerFormat, DiskFormat, Visibility
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def _string(description: str, *, null: bool = False, read_only: bool = False, **more: object) -> Json:
    kind: Json = {"type": ["null", "string"] if null else "string", "description": description, **more}
    return kind | ({"readOnly": True} if read_only else {})


def _whole(description: str, *, read_only: bool = False) -> Json:
    if read_only:
        return {"type": ["null", "integer"], "description": description, "readOnly": True}
    return {"type": "integer", "minimum": 0, "description": description}


IMAGE_PROPERTIES: Json = {
    "id": _string("The image's ID", pattern=UUID),
    "name": _string("A name to read", null=True, maxLength=255),
    "status": _string(
        "What can be done with the image",
        read_only=True,
        enum=[
            "queued",
            "saving",
            "active",
            "killed",
            "deleted",
            "uploading",
            "importing",
            "pending_delete",
            "deactivated",
        ],
    ),
    "visibility": _string("Who may see the image", enum=list(get_args(Visibility))),
    "protected": {"type": "boolean", "description": "Whether the image is kept from being deleted"},
    "os_hidden": {"type": "boolean", "description": "Whether the image is left out of lists"},
    "checksum": _string("md5 of the data, in hex", null=True, read_only=True, maxLength=32),
    "os_hash_algo": _string("Algorithm of os_hash_value", null=True, read_only=True, maxLength=64),
    "os_hash_value": _string("Hash of the data, in hex", null=True, read_only=True, maxLength=128),
    "owner": _string("The project that the image belongs to", null=True, maxLength=255),
    "size": _whole("Length of the data in bytes", read_only=True),
    "virtual_size": _whole("Size in bytes of the disk that the data describe", read_only=True),
    "container_format": _string("What is around the disk", null=True, enum=[None, *get_args(ContainerFormat)]),
    "disk_format": _string("How the disk is written down", null=True, enum=[None, *get_args(DiskFormat)]),
    "created_at": _string("When the image was created", read_only=True),
    "updated_at": _string("When the image was last changed", read_only=True),
    "tags": {
        "type": "array",
        "items": {"type": "string", "maxLength": 255},
        "description": "Words to find the image by",
    },
    "min_ram": _whole("Memory in MiB that a server needs for the image"),
    "min_disk": _whole("Disk in GiB that a server needs for the image"),
    "self": _string("Path of the image", read_only=True),
    "file": _string("Path of the image's data", read_only=True),
    "schema": _string("Path of this schema", read_only=True),
    **{
        name: _string("A documented custom property", null=True, is_base=False)
        | ({"pattern": UUID} if name in ("kernel_id", "ramdisk_id") else {})
        for name in sorted(COMMON)
    },
}
MEMBER_PROPERTIES: Json = {
    "image_id": _string("The shared image", pattern=UUID),
    "member_id": _string("The project that the image is shared with"),
    "status": _string("That project's answer", enum=["pending", "accepted", "rejected"]),
    "created_at": _string("When the image was shared"),
    "updated_at": _string("When the sharing was last changed"),
    "schema": _string("Path of this schema", readOnly=True),
}
IMAGE: Json = {
    "name": "image",
    "properties": IMAGE_PROPERTIES,
    "additionalProperties": {"type": "string"},
    "links": [
        {"href": "{self}", "rel": "self"},
        {"href": "{file}", "rel": "enclosure"},
        {"href": "{schema}", "rel": "describedby"},
    ],
}
MEMBER: Json = {"name": "member", "properties": MEMBER_PROPERTIES}


def _list_of(name: str, item: Json) -> Json:
    paths = {key: {"type": "string"} for key in ("first", "next", "schema")}
    links = [{"href": "{schema}", "rel": "describedby"}]
    links += [{"href": f"{{{key}}}", "rel": key} for key in ("first", "next")]
    return {"name": name, "properties": {name: {"type": "array", "items": item}, **paths}, "links": links}


IMAGES, MEMBERS = _list_of("images", IMAGE), _list_of("members", MEMBER)


def image(call: Call) -> Json:
    return IMAGE


def images(call: Call) -> Json:
    return IMAGES


def member(call: Call) -> Json:
    return MEMBER


def members(call: Call) -> Json:
    return MEMBERS


ROUTES = (
    Route("GET", "/v2/schemas/image", image, "get_images"),
    Route("GET", "/v2/schemas/images", images, "get_images"),
    Route("GET", "/v2/schemas/member", member, "get_images"),
    Route("GET", "/v2/schemas/members", members, "get_images"),
)
