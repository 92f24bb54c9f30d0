"""Body of PUT /os-hosts/{host} (Compute API, Hosts)."""

from typing import Literal

from pileus.kernel.http.schema import UNSET, Shape, Unset


class HostChange(Shape):
    status: Literal["enable", "disable"] | Unset = UNSET
    maintenance_mode: Literal["enable", "disable"] | Unset = UNSET
