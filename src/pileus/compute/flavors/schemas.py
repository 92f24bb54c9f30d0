"""Bodies of the flavor operations (Compute API, Flavors)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, since

LARGEST = 0x7FFFFFFF
Positive = Annotated[int, Meta(ge=1, le=LARGEST)]
Size = Annotated[int, Meta(ge=0, le=LARGEST)]
Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Identifier = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^(?! )[a-zA-Z0-9. _-]*(?<! )$")]
Description = Annotated[str, Meta(max_length=65535, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
SpecKey = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9\-_:. ]{1,255}$")]
SpecValue = Annotated[str, Meta(max_length=255)] | int | float


class NewFlavor(Shape):
    name: Name
    ram: Positive
    vcpus: Positive
    disk: Size
    id: Identifier | int | Unset | None = UNSET
    ephemeral: Size = msgspec.field(name="OS-FLV-EXT-DATA:ephemeral", default=0)
    swap: Size = 0
    rxtx_factor: Annotated[float, Meta(gt=0, le=3.40282e38)] = 1.0
    is_public: bool = msgspec.field(name="os-flavor-access:is_public", default=True)
    description: Annotated[Description | Unset | None, since("2.55")] = UNSET


class NewFlavorBody(Shape):
    flavor: NewFlavor


class FlavorChange(Shape):
    description: Description | None


class FlavorChangeBody(Shape):
    flavor: FlavorChange


class Tenant(Shape):
    tenant: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9-]*$")]


class ExtraSpecsBody(Shape):
    extra_specs: dict[SpecKey, SpecValue]


ExtraSpecBody = Annotated[dict[SpecKey, SpecValue], Meta(min_length=1, max_length=1)]
