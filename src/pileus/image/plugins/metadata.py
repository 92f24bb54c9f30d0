"""Properties that the operator puts on every image that users import: the plugin `inject_image_metadata`."""

from collections.abc import Collection, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from pileus.image.images.attributes import READ_ONLY, SETTABLE, is_reserved

LONGEST_NAME = 255  # characters
LONGEST_VALUE = 65535  # bytes


class MetadataInjection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`inject`: values by the names of custom properties. Raises ValueError for what no image can have.

    Images of callers with one of `ignore_user_roles` are left as they are.
    """

    inject: Annotated[dict[str, str], Meta(description="values by the names of custom properties")] = {}
    ignore_user_roles: Annotated[tuple[str, ...], Meta(description="whose images are left alone")] = ("admin",)

    def __post_init__(self) -> None:
        for name, value in self.inject.items():
            if not 1 <= len(name) <= LONGEST_NAME:
                raise ValueError(f"a property's name must have 1 to {LONGEST_NAME} characters: {name!r}")
            if name in SETTABLE or name in READ_ONLY or is_reserved(name):
                raise ValueError(f"{name} is an attribute of images, and no custom property")
            if len(value.encode()) > LONGEST_VALUE:
                raise ValueError(f"the value of {name} is longer than {LONGEST_VALUE} bytes")


def injected(
    settings: MetadataInjection, roles: Collection[str], properties: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The image's properties as they are to be after its import by somebody with these roles.

    What the operator injects wins over what the user gave.
    """
    ignored = {role.lower() for role in settings.ignore_user_roles}
    if any(role.lower() in ignored for role in roles):
        return dict(properties)
    return {**properties, **settings.inject}
