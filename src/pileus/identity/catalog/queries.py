"""The catalog: the cloud's own services and those that an administrator added."""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.catalog import builtin
from pileus.identity.catalog.models import Endpoint, Region, Service
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json

_HOLE = re.compile(r"[$%]\((\w+)\)s")  # the only substitution in an endpoint's address
HOLES = frozenset({"project_id", "tenant_id", "user_id"})


def services(cloud: Cloud, db: Session) -> Sequence[Service]:
    return [*builtin.services(cloud), *db.scalars(select(Service).order_by(Service.type, Service.id))]


def endpoints(cloud: Cloud, db: Session) -> Sequence[Endpoint]:
    return [*builtin.endpoints(cloud), *db.scalars(select(Endpoint).order_by(Endpoint.service_id, Endpoint.id))]


def regions(cloud: Cloud, db: Session) -> Sequence[Region]:
    own = builtin.region(cloud)
    return [own, *db.scalars(select(Region).where(Region.id != own.id).order_by(Region.id))]


def holes(url: str) -> set[str]:
    """The names that an address leaves open."""
    return set(_HOLE.findall(url))


def catalog(cloud: Cloud, db: Session, values: Mapping[str, str | None]) -> list[Json]:
    """As a token carries it: enabled services with their enabled endpoints.

    `values`: what may be put into addresses (HOLES); an endpoint that needs one which is None is left out.
    """
    by_service: dict[str, list[Json]] = {}
    for endpoint in endpoints(cloud, db):
        needs = holes(endpoint.url)
        if not endpoint.enabled or any(values.get(name) is None for name in needs):
            continue
        by_service.setdefault(endpoint.service_id, []).append(
            {
                "id": endpoint.id,
                "interface": endpoint.interface,
                "region": endpoint.region_id,
                "region_id": endpoint.region_id,
                "url": _HOLE.sub(lambda hole: str(values[hole.group(1)]), endpoint.url),
            }
        )
    return [
        {
            "id": service.id,
            "type": service.type,
            "name": service.name or "",
            "endpoints": by_service.get(service.id, []),
        }
        for service in services(cloud, db)
        if service.enabled
    ]
