"""Bodies of the server operations (Compute API, Servers)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, since, until

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Text255 = Annotated[str, Meta(max_length=255)]
Metadata = dict[Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9-_:. ]+$")], Text255]
Tag = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^,/]*$")]
Hostname = Annotated[str, Meta(min_length=1, max_length=255)]
Count = Annotated[int, Meta(ge=1)]


class Nic(Shape):
    uuid: str | None | Unset = UNSET
    port: str | None | Unset = UNSET
    fixed_ip: str | None | Unset = UNSET
    tag: Annotated[Tag | Unset, since("2.32")] = UNSET


class GroupName(Shape):
    name: Text255


class BlockDevice(Shape):
    """Only what makes a local disk from an image or nothing is served until volumes are."""

    uuid: str | None | Unset = UNSET
    source_type: Literal["image", "blank", "volume", "snapshot"] = "image"
    destination_type: Literal["local", "volume"] | Unset = UNSET
    boot_index: int | None | Unset = UNSET
    delete_on_termination: bool | Unset = UNSET
    volume_size: int | None | Unset = UNSET
    guest_format: str | None | Unset = UNSET
    device_name: str | None | Unset = UNSET
    device_type: str | None | Unset = UNSET
    disk_bus: str | None | Unset = UNSET
    no_device: bool | Unset = UNSET
    tag: Annotated[Tag | Unset, since("2.32")] = UNSET
    volume_type: Annotated[str | None | Unset, since("2.67")] = UNSET


class PersonalityFile(Shape):
    path: Text255
    contents: str


class CreateServer(Shape):
    name: Name
    flavorRef: str | int
    imageRef: str | Unset = UNSET
    networks: list[Nic] | Literal["auto", "none"] | Unset = UNSET
    security_groups: list[GroupName] | Unset = UNSET
    key_name: str | None | Unset = UNSET
    metadata: Metadata | Unset = UNSET
    user_data: Annotated[str, Meta(max_length=65535)] | None | Unset = UNSET
    config_drive: bool | None | Unset = UNSET
    availability_zone: Text255 | None | Unset = UNSET
    min_count: Count = 1
    max_count: Count | Unset = UNSET
    return_reservation_id: bool = False
    adminPass: str | Unset = UNSET
    accessIPv4: str | Unset = UNSET
    accessIPv6: str | Unset = UNSET
    disk_config: Literal["AUTO", "MANUAL"] | Unset = msgspec.field(name="OS-DCF:diskConfig", default=UNSET)
    block_device_mapping_v2: list[BlockDevice] | Unset = UNSET
    block_device_mapping: list[dict[str, Any]] | Unset = UNSET
    personality: Annotated[list[PersonalityFile] | Unset, until("2.56")] = UNSET
    description: Annotated[Text255 | None | Unset, since("2.19")] = UNSET
    tags: Annotated[list[Tag] | Unset, since("2.52")] = UNSET
    trusted_image_certificates: Annotated[list[str] | None | Unset, since("2.63")] = UNSET
    host: Annotated[str | Unset, since("2.74")] = UNSET
    hypervisor_hostname: Annotated[str | Unset, since("2.74")] = UNSET
    hostname: Annotated[Hostname | Unset, since("2.90")] = UNSET


class SchedulerHints(Shape):
    """The hints that users may give; anything else is refused."""

    group: str | Unset = UNSET
    different_host: str | list[str] | Unset = UNSET
    same_host: str | list[str] | Unset = UNSET
    query: str | Unset = UNSET
    target_cell: str | Unset = UNSET
    different_cell: str | list[str] | Unset = UNSET
    build_near_host_ip: str | Unset = UNSET
    cidr: str | Unset = UNSET


class CreateServerBody(Shape):
    server: CreateServer
    hints: SchedulerHints | Unset = msgspec.field(name="os:scheduler_hints", default=UNSET)
    old_hints: SchedulerHints | Unset = msgspec.field(name="OS-SCH-HNT:scheduler_hints", default=UNSET)


class UpdateServer(Shape):
    name: Name | Unset = UNSET
    accessIPv4: str | Unset = UNSET
    accessIPv6: str | Unset = UNSET
    disk_config: Literal["AUTO", "MANUAL"] | Unset = msgspec.field(name="OS-DCF:diskConfig", default=UNSET)
    description: Annotated[Text255 | None | Unset, since("2.19")] = UNSET
    hostname: Annotated[Hostname | Unset, since("2.90")] = UNSET


class UpdateServerBody(Shape):
    server: UpdateServer


class Reboot(Shape):
    type: Literal["SOFT", "HARD", "soft", "hard", "Soft", "Hard"]


class ConsoleOutput(Shape):
    length: int | None | Unset = UNSET


class Lock(Shape):
    locked_reason: Annotated[Annotated[str, Meta(min_length=1, max_length=255)] | Unset, since("2.73")] = UNSET


class MetadataBody(Shape):
    metadata: Metadata


class MetadataItemBody(Shape):
    meta: Metadata


class TagsBody(Shape):
    tags: Annotated[list[Tag], Meta(max_length=50)]


class ResetState(Shape):
    state: Literal["active", "error"]


class SecurityGroupAction(Shape):
    name: Text255


def given(value: Any) -> Any:
    """A field, with None for one that was left out."""
    return None if isinstance(value, Unset) else value
