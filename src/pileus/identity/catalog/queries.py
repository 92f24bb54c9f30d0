"""The catalog as a token carries it, by one query: the cloud's own services and those that an administrator added."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import CompoundSelect, String, bindparam, literal, null, select, union_all
from sqlalchemy.orm import Session

from pileus.identity.catalog import builtin
from pileus.identity.catalog.models import (
    Endpoint,
    EndpointGroup,
    ProjectEndpoint,
    ProjectEndpointGroup,
    Service,
)
from pileus.identity.settings import IdentitySettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json

_HOLE = re.compile(r"[$%]\((\w+)\)s")  # the only substitution in an endpoint's address
HOLES = frozenset({"project_id", "tenant_id", "user_id"})
FILTERS = ("service_id", "region_id", "interface", "enabled")


class Entry(NamedTuple):
    """A service (`type`, `name`), an endpoint, or what the project is shown: an endpoint's id, or the `filters` of a group."""

    kind: str
    id: str
    type: str
    name: str | None
    service_id: str
    region_id: str | None
    interface: str
    url: str
    enabled: bool
    filters: str | None


_PROJECT = bindparam("project", type_=String)
_NO = null()
_ENTRIES: CompoundSelect[Any] = union_all(
    select(literal("service"), Service.id, Service.type, Service.name, _NO, _NO, _NO, _NO, Service.enabled, _NO),
    select(
        literal("endpoint"),
        Endpoint.id,
        _NO,
        _NO,
        Endpoint.service_id,
        Endpoint.region_id,
        Endpoint.interface,
        Endpoint.url,
        Endpoint.enabled,
        _NO,
    ),
    select(literal("shown"), ProjectEndpoint.endpoint_id, *[_NO] * 8).where(ProjectEndpoint.project_id == _PROJECT),
    select(literal("group"), EndpointGroup.id, *[_NO] * 7, EndpointGroup.filters)
    .join(ProjectEndpointGroup, ProjectEndpointGroup.endpoint_group_id == EndpointGroup.id)
    .where(ProjectEndpointGroup.project_id == _PROJECT),
)


def holes(url: str) -> set[str]:
    """The names that an address leaves open."""
    return set(_HOLE.findall(url))


def matches(endpoint: Endpoint | Entry, filters: Mapping[str, object]) -> bool:
    """Has the endpoint every attribute that a group's filters name?"""
    return all(getattr(endpoint, name) == value for name, value in filters.items())


def catalog(cloud: Cloud, db: Session, values: Mapping[str, str | None]) -> list[Json]:
    """Enabled services with their enabled endpoints.

    `values`: what may be put into addresses (HOLES); an endpoint that needs one which is None is left out. A project that was given
    endpoints has those alone; one that was given none has all, or none without `[identity] endpoint_filter_all`.
    """
    entries = [Entry._make(row) for row in db.execute(_ENTRIES, {"project": values.get("project_id") or ""})]
    services, endpoints = _own(cloud)
    if entries:
        services = (*services, *sorted((e for e in entries if e.kind == "service"), key=lambda e: (e.type, e.id)))
        endpoints = (*endpoints, *sorted((e for e in entries if e.kind == "endpoint"), key=lambda e: e.id))
    shown = {e.id for e in entries if e.kind == "shown"}
    groups = [msgspec.json.decode(e.filters or "{}") for e in entries if e.kind == "group"]
    narrowed = bool(shown or groups)
    if narrowed:
        endpoints = tuple(e for e in endpoints if e.id in shown or any(matches(e, filters) for filters in groups))
    elif values.get("project_id") and not cloud.settings(IdentitySettings).endpoint_filter_all:
        return []
    by_service = _by_service(endpoints, values)
    return [
        {"id": s.id, "type": s.type, "name": s.name or "", "endpoints": by_service.get(s.id, [])}
        for s in services
        if s.enabled and (not narrowed or s.id in by_service)
    ]


def _by_service(endpoints: Iterable[Entry], values: Mapping[str, str | None]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for endpoint in endpoints:
        if not endpoint.enabled:
            continue
        url = endpoint.url
        if "(" in url:
            if any(values.get(name) is None for name in holes(url)):
                continue
            url = _HOLE.sub(lambda hole: str(values[hole.group(1)]), url)
        found.setdefault(endpoint.service_id, []).append(
            {
                "id": endpoint.id,
                "interface": endpoint.interface,
                "region": endpoint.region_id,
                "region_id": endpoint.region_id,
                "url": url,
            }
        )
    return found


@lru_cache(maxsize=4)
def _own(cloud: Cloud) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    return (
        tuple(
            Entry("service", s.id, s.type, s.name, "", None, "", "", s.enabled, None) for s in builtin.services(cloud)
        ),
        tuple(
            Entry("endpoint", e.id, "", None, e.service_id, e.region_id, e.interface, e.url, e.enabled, None)
            for e in builtin.endpoints(cloud)
        ),
    )
