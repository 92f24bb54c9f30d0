"""The image's own attributes, as the API documents them: the one table behind validation, patches and the JSON schema."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, OpenShape, Unset

Visibility = Literal["public", "private", "shared", "community"]
DiskFormat = Literal["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"]
ContainerFormat = Literal["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"]
UUID = r"^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
Text = Annotated[str, Meta(max_length=255)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
ImageId = Annotated[str, Meta(pattern=UUID)]


class ImageShape(OpenShape):
    """What a caller may set. Every other name is a custom property, or read-only."""

    id: ImageId | Unset = UNSET
    name: Text | Unset | None = UNSET
    visibility: Visibility | Unset = UNSET
    protected: bool | Unset = UNSET
    os_hidden: bool | Unset = UNSET
    owner: Text | Unset | None = UNSET
    disk_format: DiskFormat | Unset | None = UNSET
    container_format: ContainerFormat | Unset | None = UNSET
    min_disk: Count | Unset = UNSET
    min_ram: Count | Unset = UNSET
    tags: list[Text] | Unset = UNSET


class CommonShape(OpenShape):
    """Custom properties with a documented form; all others are strings of any form."""

    architecture: str | Unset | None = UNSET
    os_distro: str | Unset | None = UNSET
    os_version: str | Unset | None = UNSET
    instance_uuid: str | Unset | None = UNSET
    kernel_id: ImageId | Unset | None = UNSET
    ramdisk_id: ImageId | Unset | None = UNSET


SETTABLE = frozenset(ImageShape.__struct_fields__)
COMMON = frozenset(CommonShape.__struct_fields__)
READ_ONLY = frozenset(
    {"status", "checksum", "os_hash_algo", "os_hash_value", "size", "virtual_size", "created_at", "updated_at"}
    | {"schema", "self", "file", "direct_url", "location", "locations", "stores", "deleted", "deleted_at"}
)
RESERVED = ("os_glance_",)
FORMATS = frozenset({"disk_format", "container_format"})  # fixed once the data came
AMAZON = frozenset({"ami", "ari", "aki"})  # the container's format must be the disk's


def is_reserved(name: str) -> bool:
    return name.startswith(RESERVED)
