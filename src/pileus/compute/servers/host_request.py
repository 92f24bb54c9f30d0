"""What servers ask of their host."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.flavors.models import Flavor
from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.request import Request
from pileus.compute.server_groups import hints, membership
from pileus.compute.server_groups.models import ServerGroup
from pileus.compute.servers.models import Server
from pileus.compute.servers.schemas import CreateServer, CreateServerBody, given
from pileus.compute.servers.template import kept
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import wish as wishes
from pileus.image.internal import ImageFacts
from pileus.kernel.errors import BadRequest, Forbidden
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import Unset


def of_body(call: Call, body: CreateServerBody, flavor: Flavor, image: ImageFacts) -> tuple[hints.Hints, Request]:
    """What all servers of a request to create some ask, and the hints, which say more for each."""
    asked, project_id = body.server, str(call.context.project_id)
    said = body.hints if not isinstance(body.hints, Unset) else body.old_hints
    near = hints.Hints() if isinstance(said, Unset) else hints.read(call.db, project_id, said)
    zone, forced_host = _placement(call, asked)
    hardware = wishes.of(call.cloud.settings(ComputeSettings), kept(flavor), image.properties)
    request = Request(
        resources=wishes.resources(hardware, resources_of(kept(flavor))),
        image_properties=image.properties,
        extra_specs=flavor.extra_specs,
        project_id=project_id,
        flavor_name=flavor.name,
        image_id=image.id,
        availability_zone=zone,
        host=forced_host or given(asked.host),
        hypervisor_hostname=given(asked.hypervisor_hostname),
        hardware=hardware,
    )
    return near, request


def of_server(db: Session, settings: ComputeSettings, server: Server) -> Request:
    """What a server that is there asks, by what it has kept; of its hints that is the group. Raises BadRequest."""
    properties = server.image.get("properties", {})
    hardware = wishes.of(settings, server.flavor, properties)
    group = db.get(ServerGroup, membership.groups_of(db, [server.id]).get(server.id, ""))
    return Request(
        resources=wishes.resources(hardware, resources_of(server.flavor)),
        image_properties=properties,
        extra_specs=server.flavor["extra_specs"],
        project_id=server.project_id,
        flavor_name=server.flavor["name"],
        image_id=server.image_id or "",
        availability_zone=server.availability_zone,
        group=membership.facts(db, group) if group is not None else None,
        hardware=hardware,
    )


def resources_of(flavor: Mapping[str, Any]) -> dict[str, int]:
    """Placement's classes from a server's copy of its flavor; `resources:…` extra specs override. Swap is disk, rounded up to GiB."""
    disk = flavor["disk"] + flavor["ephemeral"] + -(-flavor["swap"] // 1024)
    resources = {"VCPU": flavor["vcpus"], "MEMORY_MB": flavor["ram"], "DISK_GB": disk}
    for key, value in flavor["extra_specs"].items():
        if key.startswith("resources:") and value.isdecimal():
            resources[key.removeprefix("resources:")] = int(value)
    return {name: amount for name, amount in resources.items() if amount > 0}


def _placement(call: Call, asked: CreateServer) -> tuple[str | None, str | None]:
    """Availability zone and, for administrators, a host: `zone:host` or the fields of 2.74."""
    zone, _, host = (given(asked.availability_zone) or "").partition(":")
    if host and not call.allows("os_compute_api:servers:create:forced_host"):
        raise Forbidden("Policy does not allow os_compute_api:servers:create:forced_host to be performed.")
    named = [name for name in (given(asked.host), given(asked.hypervisor_hostname)) if name]
    if named:
        call.enforce("compute:servers:create:requested_destination")
        known = set(call.db.scalars(select(Host.name)))
        if missing := [name for name in named if name not in known]:
            raise BadRequest(f"Compute host {missing[0]} could not be found.")
    if zone and call.db.scalar(select(Host.id).where(Host.availability_zone == zone).limit(1)) is None:
        raise BadRequest("The requested availability zone is not available")
    return zone or None, host.partition(":")[0] or None
