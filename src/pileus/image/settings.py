"""Section `[image]` of the configuration."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pileus.image.plugins.metadata import MetadataInjection
from pileus.image.s3.settings import S3Settings
from pileus.image.web.settings import WebSettings


class StoreSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One place where images' data is: `[image.stores.NAME]`."""

    driver: Annotated[Literal["file", "http", "s3"], Meta(description="file, s3, or http (only read)")] = "file"
    folder: Annotated[
        str, Meta(description="of the driver file; default in the state folder: image-stores/NAME, or images")
    ] = ""
    description: Annotated[str, Meta(description="what users are told of it")] = ""
    s3: Annotated[S3Settings | None, Meta(description="of the driver s3")] = None
    weight: Annotated[int, Meta(description="reads come from the heaviest store that has the image")] = 0


class ImageSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Sizes in bytes unless the name says otherwise; times in seconds."""

    stores: Annotated[
        dict[str, StoreSettings], Meta(description="stores by name; none given: one, named file, in the state folder")
    ] = {}
    default_store: Annotated[str, Meta(description="store of data that comes without a wish; default the first")] = ""
    staging_folder: Annotated[
        str, Meta(description="where data waits for its import; default staging in the state folder")
    ] = ""
    show_multiple_locations: Annotated[bool, Meta(description="show, and let owners change, where data is")] = False
    show_image_direct_url: Annotated[bool, Meta(description="show the address of the first location")] = False
    delayed_delete: Annotated[bool, Meta(description="keep the data of deleted images for scrub_time")] = False
    scrub_time: Annotated[int, Meta(ge=0, description="seconds that data outlives its image with delayed_delete")] = 0
    import_methods: Annotated[
        tuple[Literal["glance-direct", "web-download", "copy-image", "glance-download"], ...],
        Meta(description="ways to import that users may choose"),
    ] = ("glance-direct", "web-download", "copy-image", "glance-download")
    import_parallel: Annotated[int, Meta(ge=1, le=64, description="imports at a time in one process")] = 4
    convert_to: Annotated[
        Literal["", "raw", "qcow2", "vmdk", "vdi", "vhdx"],
        Meta(description="disk format that imports end in; empty: as given"),
    ] = ""
    max_converted: Annotated[
        int, Meta(ge=1 << 20, description="largest disk, in bytes, that an import unpacks or converts")
    ] = 1 << 40
    inject: Annotated[MetadataInjection, Meta(description="properties that imports get")] = MetadataInjection()
    web: Annotated[WebSettings, Meta(description="what users' URLs may lead to")] = WebSettings()
    download_properties: Annotated[
        tuple[str, ...], Meta(description="beginnings of the properties that come along from another region")
    ] = ("hw_", "trait:", "os_distro", "os_secure_boot", "os_type")
    signers_folder: Annotated[str, Meta(description="folder of signers' certificates, <uuid>.pem; empty: none")] = ""
    signers_authorities: Annotated[str, Meta(description="PEM file of authorities that signers must come from")] = ""
    property_protection_file: Annotated[str, Meta(description="who may do what to custom properties; empty: all")] = ""
    property_protection_rule_format: Annotated[
        Literal["roles", "policies"], Meta(description="what that file's rules name")
    ] = "roles"
    unpack: Annotated[
        tuple[Literal["compressed", "ova"], ...], Meta(description="containers that imports take the disk out of")
    ] = ("compressed", "ova")
    cache_max_size: Annotated[int, Meta(ge=0, description="bytes that an API host's copies of images may have")] = (
        10 << 30
    )
    cache_downloads: Annotated[
        bool, Meta(description="keep copies of downloaded images whose data is not on this host")
    ] = True
    task_lifetime: Annotated[int, Meta(ge=60, description="seconds that an ended task can be looked at")] = 172800
    quota_stage_mib: Annotated[int, Meta(ge=-1, description="MiB of staged data a project may have; -1: no limit")] = -1
    max_size: Annotated[int, Meta(ge=0, description="largest image, bytes; 0: no limit")] = 1 << 40
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
