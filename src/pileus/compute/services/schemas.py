"""Bodies of the service operations (Compute API, Compute services)."""

from typing import Annotated, Literal

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset, since

Reason = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
HostName = Annotated[str, Meta(min_length=1, max_length=255)]


class ServiceChange(Shape):
    """From 2.53 on."""

    status: Literal["enabled", "disabled"] | Unset = UNSET
    disabled_reason: Reason | Unset = UNSET
    forced_down: bool | Unset = UNSET


class Named(Shape):
    """To 2.52: the service is named in the body."""

    host: HostName
    binary: HostName


class NamedWithReason(Named):
    disabled_reason: Reason


class NamedForcedDown(Named):
    forced_down: Annotated[bool | Unset, since("2.11")] = UNSET
