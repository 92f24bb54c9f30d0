"""/v2/schemas: JSON schemas of images, members and tasks, for clients that read them to learn the attributes."""

from collections.abc import Mapping
from typing import get_args

from pileus.image.images.attributes import COMMON, UUID, ContainerFormat, DiskFormat, Visibility
from pileus.image.tasks.models import (
    API_IMAGE_IMPORT,
    COPY_IMAGE,
    FAILURE,
    IMPORT,
    LOCATION_IMPORT,
    PENDING,
    PROCESSING,
    SUCCESS,
)
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Handler, Route


def _string(description: str, *, null: bool = False, read_only: bool = False, **more: object) -> Json:
    kind: Json = {"type": ["null", "string"] if null else "string", "description": description, **more}
    return kind | ({"readOnly": True} if read_only else {})


def _whole(description: str, *, read_only: bool = False) -> Json:
    if read_only:
        return {"type": ["null", "integer"], "description": description, "readOnly": True}
    return {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": description}


def _object(description: str, *, null: bool = False) -> Json:
    return {"type": ["null", "object"] if null else "object", "description": description}


IMAGE_STATUSES = ["queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete"]
IMAGE_STATUSES += ["deactivated"]
HASHES = {
    "checksum": ("md5 of the data, in hex", 32),
    "os_hash_algo": ("Algorithm of os_hash_value", 64),
    "os_hash_value": ("Hash of the data, in hex", 128),
}
LOCATION: Json = {
    "type": "object",
    "properties": {
        "url": _string("Address of the data"),
        "metadata": _object("What is said about the location"),
        "validation_data": {
            **_object("Hashes that the data there must have: given with a new location, never shown"),
            "properties": {name: _string(words, maxLength=longest) for name, (words, longest) in HASHES.items()},
            "required": ["os_hash_algo", "os_hash_value"],
            "additionalProperties": False,
        },
    },
    "required": ["url", "metadata"],
}
IMAGE_PROPERTIES: Json = {
    "id": _string("The image's ID", pattern=UUID),
    "name": _string("A name to read", null=True, maxLength=255),
    "status": _string("What can be done with the image", read_only=True, enum=IMAGE_STATUSES),
    "visibility": _string("Who may see the image", enum=list(get_args(Visibility))),
    "protected": {"type": "boolean", "description": "Whether the image is kept from being deleted"},
    "os_hidden": {"type": "boolean", "description": "Whether the image is left out of lists"},
    **{name: _string(words, null=True, read_only=True, maxLength=longest) for name, (words, longest) in HASHES.items()},
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
    "direct_url": _string("Address of the data in its first store, where the operator shows it", read_only=True),
    "locations": {
        "type": "array",
        "items": LOCATION,
        "description": "Where the data is, where the operator shows it",
    },
    "stores": _string("Names of the stores that have the data, with commas; where there are several", read_only=True),
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

MEMBER_PROPERTIES: Json = {
    "image_id": _string("The shared image", pattern=UUID),
    "member_id": _string("The project that the image is shared with"),
    "status": _string("That project's answer", enum=["pending", "accepted", "rejected"]),
    "created_at": _string("When the image was shared"),
    "updated_at": _string("When the sharing was last changed"),
    "schema": _string("Path of this schema", read_only=True),
}
MEMBER: Json = {"name": "member", "properties": MEMBER_PROPERTIES}

LISTED_TASK_PROPERTIES: Json = {
    "id": _string("The task's ID", pattern=UUID),
    "type": _string("What the task does", enum=[IMPORT, API_IMAGE_IMPORT, COPY_IMAGE, LOCATION_IMPORT]),
    "status": _string("How far the task is", enum=[PENDING, PROCESSING, SUCCESS, FAILURE]),
    "owner": _string("The project that the task works for", null=True),
    "expires_at": _string("When an ended task is forgotten", null=True),
    "created_at": _string("When the task was asked for"),
    "updated_at": _string("When the task last got further"),
    "self": _string("Path of the task", read_only=True),
    "schema": _string("Path of this schema", read_only=True),
}
TASK_PROPERTIES: Json = LISTED_TASK_PROPERTIES | {
    "input": _object("What was asked for", null=True),
    "result": _object("What came of it", null=True),
    "message": _string("How far it is, or why it failed"),
    "image_id": _string("The image that the task works on", null=True),
    "request_id": _string("The request that asked for the task", null=True),
    "user_id": _string("The user who asked for the task", null=True),
}
TASK: Json = {"name": "task", "properties": TASK_PROPERTIES}
LISTED_TASK: Json = {"name": "task", "properties": LISTED_TASK_PROPERTIES}


def _list_of(name: str, item: Json) -> Json:
    paths = {key: {"type": "string"} for key in ("first", "next", "schema")}
    links = [{"href": "{schema}", "rel": "describedby"}]
    links += [{"href": f"{{{key}}}", "rel": key} for key in ("first", "next")]
    return {"name": name, "properties": {name: {"type": "array", "items": item}, **paths}, "links": links}


SCHEMAS: Mapping[str, Json] = {
    "image": IMAGE,
    "images": _list_of("images", IMAGE),
    "member": MEMBER,
    "members": _list_of("members", MEMBER),
    "task": TASK,
    "tasks": _list_of("tasks", LISTED_TASK),
}


def _handler(body: Json) -> Handler:
    def show(call: Call) -> Json:
        return body

    return show


ROUTES = tuple(Route("GET", f"/v2/schemas/{name}", _handler(body), "get_images") for name, body in SCHEMAS.items())
