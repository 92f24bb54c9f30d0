"""POST /servers: validate, then take in one transaction all that must be atomic: quota, host, resources, ports, rows."""

from typing import Literal

from sqlalchemy.orm import Session

from pileus.compute.flavors import queries as flavors
from pileus.compute.flavors.models import Flavor
from pileus.compute.quota_sets.limits import bounds_of
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.verdicts import details
from pileus.compute.server_groups import hints
from pileus.compute.servers import history, hostnames
from pileus.compute.servers.host_request import of_body
from pileus.compute.servers.models import Server, ServerTag
from pileus.compute.servers.quota import within_quota
from pileus.compute.servers.schemas import CreateServer, CreateServerBody, given
from pileus.compute.servers.template import template
from pileus.compute.settings import ComputeSettings
from pileus.image import internal as images
from pileus.image.internal import ImageFacts
from pileus.kernel import clock
from pileus.kernel.bus.base import agent_topic
from pileus.kernel.context import Context
from pileus.kernel.db import new_id
from pileus.kernel.errors import BadRequest, OverQuota
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import Unset
from pileus.network import internal as network
from pileus.network.internal import NicRequest


def create(call: Call, body: CreateServerBody) -> list[Server]:
    """Rows of one request: `min_count` … `max_count` servers; as many as the quota allows, at least `min_count`."""
    asked, context, db = body.server, call.context, call.db
    if context.project_id is None:
        raise BadRequest("A server belongs to a project: use a token that is scoped to one.")
    _refuse_unserved(call, asked)
    least, most = asked.min_count, asked.max_count if not isinstance(asked.max_count, Unset) else asked.min_count
    if least > most:
        raise BadRequest("min_count must be <= max_count")
    flavor = flavors.usable(call, str(asked.flavorRef))
    image = _image(db, context, asked)
    _fits(flavor, image)
    bounds = bounds_of(call, context.project_id)
    limits = bounds[0].limits
    count = within_quota(db, bounds, flavor, least, most)
    meta = {} if isinstance(asked.metadata, Unset) else asked.metadata
    if 0 <= limits["metadata_items"] < len(meta):
        raise OverQuota(f"Maximum number of metadata items exceeds {limits['metadata_items']}")
    near, request = of_body(call, body, flavor, image)
    nics = network.plan_nics(db, context, _nic_requests(call, asked), _group_names(asked))
    if count > 1 and any(nic.port_id for nic in nics):
        raise BadRequest(
            "Unable to launch multiple instances with a single configured port ID. Please launch them one by one."
        )
    columns = template(call, asked, flavor, image, meta, request.availability_zone)
    chosen = None if isinstance(asked.hostname, Unset) else hostnames.checked(call, asked.hostname)
    servers, refused = [], None
    for index in range(count):
        name = f"{asked.name}-{index + 1}" if most > 1 else asked.name
        hostname = chosen or hostnames.made_from(name)
        server = Server(id=new_id(), name=name, hostname=hostname, launch_index=index, **columns)
        if not isinstance(asked.tags, Unset):
            server.tags = [ServerTag(tag=tag) for tag in sorted(set(asked.tags))]
        servers.append(server)
        refused = _place(call, server, hints.narrow(db, request, near), nics, refused)
        hints.join(db, near, server.id, limits["server_group_members"])
    return servers


def request_of(call: Call, body: CreateServerBody) -> Request:
    """What the first server of the request asks of its host."""
    flavor = flavors.usable(call, str(body.server.flavorRef))
    near, request = of_body(call, body, flavor, _image(call.db, call.context, body.server))
    return hints.narrow(call.db, request, near)


def _place(
    call: Call, server: Server, request: Request, nics: list[network.PlannedNic], before: NoValidHost | None
) -> NoValidHost | None:
    """Claim a host and wire the ports; a refusal leaves the server in ERROR with the explanation, and nothing claimed.

    Gives the refusal; what one server of a request met `before`, the next one would meet too: it is not asked again.
    """
    db, context = call.db, call.context
    try:
        if before is not None:
            raise before
        settings = call.cloud.settings(ComputeSettings)
        host = choose_and_claim(db, settings, request, server.id, server.project_id, server.user_id)
    except NoValidHost as refused:
        server.fault = {
            "code": 500,
            "message": refused.summary,
            "details": details(refused.verdicts),
            "created": clock.iso(clock.now()),
        }
        server.retry_at = None
        server.observed_generation = server.generation
        db.add(server)
        db.flush()
        history.record(call, server, "create", error=refused.summary)
        return refused
    server.host_id, server.host = host.id, host.name
    server.availability_zone = server.availability_zone or host.availability_zone
    db.add(server)
    db.flush()
    label = hostnames.first_label(server.hostname)
    network.attach_nics(db, context, nics, server.id, host.name, host.availability_zone, label)
    history.record(call, server, "create")
    for name in {host.name, *network.hosts_of(db, server.id)}:
        call.poke(agent_topic(name), "changed", server_id=server.id)
    return None


def _refuse_unserved(call: Call, asked: CreateServer) -> None:
    """What needs volumes is refused with words, not ignored."""
    devices = [] if isinstance(asked.block_device_mapping_v2, Unset) else asked.block_device_mapping_v2
    for device in devices:
        plain_root = (
            device.source_type == "image" and device.destination_type == "local" and given(device.boot_index) == 0
        )
        if not plain_root:
            raise BadRequest(
                "Block Device Mapping is Invalid: this cloud serves no volumes; only the image's own local root disk."
            )
    if not isinstance(asked.block_device_mapping, Unset) and asked.block_device_mapping:
        raise BadRequest("Block Device Mapping is Invalid: this cloud serves no volumes.")
    if not isinstance(asked.personality, Unset) and asked.personality:
        raise BadRequest("Personality files are not supported: use user_data or a config drive.")
    if given(asked.trusted_image_certificates):
        raise BadRequest("Image signature certificate validation is not available in this cloud.")
    if isinstance(asked.networks, Unset) and call.at_least(2, 37):
        raise BadRequest("Invalid input: Object missing required field `networks` - at `$.server`")


def _image(db: Session, context: Context, asked: CreateServer) -> ImageFacts:
    if isinstance(asked.imageRef, Unset) or not asked.imageRef:
        raise BadRequest("Invalid imageRef provided: a server boots from an image.")
    image_id = asked.imageRef.rstrip("/").rpartition("/")[2]
    image = images.find(db, context, image_id)
    if image is None:
        raise BadRequest(f"Can not find requested image: {image_id}")
    if image.status != "active":
        raise BadRequest(f"Image {image_id} is not active.")
    return image


def _fits(flavor: Flavor, image: ImageFacts) -> None:
    if flavor.ram < image.min_ram:
        raise BadRequest("Flavor's memory is too small for requested image.")
    if flavor.disk and flavor.disk < image.min_disk:
        raise BadRequest("The size of the root disk of the flavor is smaller than the min_disk of the image.")
    if flavor.disk and image.virtual_size > flavor.disk * 1024**3:
        raise BadRequest(f"Flavor's disk is too small for requested image. The image needs {image.virtual_size} bytes.")


def _nic_requests(call: Call, asked: CreateServer) -> list[NicRequest] | Literal["auto", "none"]:
    if isinstance(asked.networks, Unset):
        return "auto"
    if isinstance(asked.networks, str):
        if not call.at_least(2, 37):
            raise BadRequest("Invalid input: `networks` takes 'auto' and 'none' from microversion 2.37 on")
        return asked.networks
    if not asked.networks:
        return "auto"
    return [
        NicRequest(
            network_id=given(nic.uuid), port_id=given(nic.port), fixed_ip=given(nic.fixed_ip), tag=given(nic.tag)
        )
        for nic in asked.networks
    ]


def _group_names(asked: CreateServer) -> list[str]:
    groups = [] if isinstance(asked.security_groups, Unset) else [group.name for group in asked.security_groups]
    return list(dict.fromkeys(groups)) or ["default"]
