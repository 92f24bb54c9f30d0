"""The services that this cloud itself runs: in the catalog by configuration, not by rows, so that they are never out of date.

A process has one cloud and its endpoints never change, so they are made once: they are half of what validating a token would cost.
"""

import uuid
from collections.abc import Sequence
from functools import lru_cache

from pileus.identity.catalog.models import Endpoint, Region, Service
from pileus.kernel.cloud import Cloud

_SPACE = uuid.UUID("6f2b8a52-5f0e-4c7e-9b43-0c6a7d1f5e11")
INTERFACES = ("public", "internal", "admin")


@lru_cache(maxsize=4)
def services(cloud: Cloud) -> Sequence[Service]:
    """Not attached to any session. Ids are the same in every process and after every restart."""
    return [
        Service(id=_id("service", kind), type=kind, name=name, description=None, enabled=True, extra={})
        for kind, (name, _) in cloud.catalog_types().items()
    ]


@lru_cache(maxsize=4)
def endpoints(cloud: Cloud) -> Sequence[Endpoint]:
    return [
        Endpoint(
            id=_id("endpoint", kind, interface),
            service_id=_id("service", kind),
            region_id=cloud.config.cloud.region,
            interface=interface,
            url=url,
            name=None,
            enabled=True,
            extra={},
        )
        for kind, (_, url) in cloud.catalog_types().items()
        for interface in INTERFACES
    ]


@lru_cache(maxsize=4)
def regions(cloud: Cloud) -> Sequence[Region]:
    return [Region(id=cloud.config.cloud.region, description="", parent_region_id=None, extra={})]


def service_id(kind: str) -> str:
    """The id of the cloud's own service of that type."""
    return _id("service", kind)


def _id(*parts: str) -> str:
    return uuid.uuid5(_SPACE, "/".join(parts)).hex
