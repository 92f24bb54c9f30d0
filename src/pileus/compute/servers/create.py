"""POST /servers: validate, then take in one transaction all that must be atomic: quota, host, resources, ports, rows."""

import base64
import binascii
import ipaddress
import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from pileus.compute.flavors import queries as flavors
from pileus.compute.flavors.models import Flavor
from pileus.compute.hosts.models import Host
from pileus.compute.keypairs.models import Keypair
from pileus.compute.quota_sets.limits import bounds_of
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.verdicts import details
from pileus.compute.server_groups import hints
from pileus.compute.servers import history, hostnames
from pileus.compute.servers.models import Server, ServerTag
from pileus.compute.servers.schemas import CreateServer, CreateServerBody
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import wish as wishes
from pileus.image import internal as images
from pileus.image.internal import ImageFacts
from pileus.kernel import clock, quotas
from pileus.kernel.bus.base import agent_topic
from pileus.kernel.context import Context
from pileus.kernel.db import new_id
from pileus.kernel.errors import BadRequest, Forbidden, OverQuota
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import Unset
from pileus.kernel.quotas import Bound, Projects
from pileus.network import internal as network
from pileus.network.internal import NicRequest

PASSWORD_LETTERS = string.ascii_letters + string.digits


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
    near, request = _wish(call, body, flavor, image)
    nics = network.plan_nics(db, context, _nic_requests(call, asked), _group_names(asked))
    if count > 1 and any(nic.port_id for nic in nics):
        raise BadRequest(
            "Unable to launch multiple instances with a single configured port ID. Please launch them one by one."
        )
    template = _template(call, asked, flavor, image, meta, request.availability_zone)
    chosen = None if isinstance(asked.hostname, Unset) else hostnames.checked(call, asked.hostname)
    servers, refused = [], None
    for index in range(count):
        name = f"{asked.name}-{index + 1}" if most > 1 else asked.name
        hostname = chosen or hostnames.made_from(name)
        server = Server(id=new_id(), name=name, hostname=hostname, launch_index=index, **template)
        if not isinstance(asked.tags, Unset):
            server.tags = [ServerTag(tag=tag) for tag in sorted(set(asked.tags))]
        servers.append(server)
        refused = _place(call, server, hints.narrow(db, request, near), nics, refused)
        hints.join(db, near, server.id, limits["server_group_members"])
    return servers


def request_of(call: Call, body: CreateServerBody) -> Request:
    """What the first server of the request asks of its host."""
    flavor = flavors.usable(call, str(body.server.flavorRef))
    near, request = _wish(call, body, flavor, _image(call.db, call.context, body.server))
    return hints.narrow(call.db, request, near)


def _wish(call: Call, body: CreateServerBody, flavor: Flavor, image: ImageFacts) -> tuple[hints.Hints, Request]:
    asked, project_id = body.server, str(call.context.project_id)
    given = body.hints if not isinstance(body.hints, Unset) else body.old_hints
    near = hints.Hints() if isinstance(given, Unset) else hints.read(call.db, project_id, given)
    zone, forced_host = _placement(call, asked)
    hardware = wishes.of(call.cloud.settings(ComputeSettings), _copied(flavor), image.properties)
    request = Request(
        resources=wishes.resources(hardware, resources_of(_copied(flavor))),
        image_properties=image.properties,
        extra_specs=flavor.extra_specs,
        project_id=project_id,
        flavor_name=flavor.name,
        image_id=image.id,
        availability_zone=zone,
        host=forced_host or _given(asked.host),
        hypervisor_hostname=_given(asked.hypervisor_hostname),
        hardware=hardware,
    )
    return near, request


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


def _template(
    call: Call, asked: CreateServer, flavor: Flavor, image: ImageFacts, meta: dict[str, str], zone: str | None
) -> dict[str, Any]:
    """The columns that every server of the request shares."""
    key = _keypair(call, asked)
    settings = call.cloud.settings(ComputeSettings)
    return {
        "project_id": call.context.project_id,
        "user_id": call.context.user_id,
        "description": _given(asked.description) if call.at_least(2, 19) else asked.name,
        "reservation_id": f"r-{secrets.token_hex(4)}",
        "flavor_id": flavor.id,
        "flavor": _copied(flavor),
        "image_id": image.id,
        "image": {
            "name": image.name,
            "disk_format": image.disk_format,
            "size": image.size,
            "container_format": image.container_format,
            "hash_algorithm": image.hash_algorithm,
            "hash_value": image.hash_value,
            "min_disk": image.min_disk,
            "min_ram": image.min_ram,
            "properties": image.properties,
        },
        "key_name": key.name if key else None,
        "public_key": key.public_key if key else None,
        "key_type": key.type if key else "ssh",
        "user_data": _user_data(asked),
        "config_drive": bool(_given(asked.config_drive)) or settings.force_config_drive,
        "admin_pass": _given(asked.adminPass) or "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(12)),
        "meta": meta,
        "access_ip_v4": checked_address(_given(asked.accessIPv4), 4),
        "access_ip_v6": checked_address(_given(asked.accessIPv6), 6),
        "disk_config": _given(asked.disk_config) or "MANUAL",
        "availability_zone": zone,
    }


def checked_address(text: str | None, version: int) -> str | None:
    """`accessIPv4`/`accessIPv6`: an address of that version, or nothing."""
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadRequest(f"{text!r} is not an IPv{version} address") from None
    if address.version != version:
        raise BadRequest(f"{text!r} is not an IPv{version} address")
    return str(address)


def _given(value: Any) -> Any:
    return None if isinstance(value, Unset) else value


def _refuse_unserved(call: Call, asked: CreateServer) -> None:
    """What needs volumes is refused with words, not ignored."""
    devices = [] if isinstance(asked.block_device_mapping_v2, Unset) else asked.block_device_mapping_v2
    for device in devices:
        plain_root = (
            device.source_type == "image" and device.destination_type == "local" and _given(device.boot_index) == 0
        )
        if not plain_root:
            raise BadRequest(
                "Block Device Mapping is Invalid: this cloud serves no volumes; only the image's own local root disk."
            )
    if not isinstance(asked.block_device_mapping, Unset) and asked.block_device_mapping:
        raise BadRequest("Block Device Mapping is Invalid: this cloud serves no volumes.")
    if not isinstance(asked.personality, Unset) and asked.personality:
        raise BadRequest("Personality files are not supported: use user_data or a config drive.")
    if _given(asked.trusted_image_certificates):
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


def resources_of(flavor: Mapping[str, Any]) -> dict[str, int]:
    """Placement's classes from a server's copy of its flavor; `resources:…` extra specs override. Swap is disk, rounded up to GiB."""
    disk = flavor["disk"] + flavor["ephemeral"] + -(-flavor["swap"] // 1024)
    resources = {"VCPU": flavor["vcpus"], "MEMORY_MB": flavor["ram"], "DISK_GB": disk}
    for key, value in flavor["extra_specs"].items():
        if key.startswith("resources:") and value.isdecimal():
            resources[key.removeprefix("resources:")] = int(value)
    return {name: amount for name, amount in resources.items() if amount > 0}


def _copied(flavor: Flavor) -> dict[str, Any]:
    """What a server keeps of its flavor."""
    names = ("name", "vcpus", "ram", "disk", "ephemeral", "swap", "extra_specs")
    return {name: getattr(flavor, name) for name in names}


def usage(db: Session, projects: Projects) -> dict[str, int]:
    """Servers, cores and memory that the projects use together, counted from the rows."""
    cores, ram = Server.flavor["vcpus"].as_string().cast(Integer), Server.flavor["ram"].as_string().cast(Integer)
    row = db.execute(
        select(func.count(), func.coalesce(func.sum(cores), 0), func.coalesce(func.sum(ram), 0)).where(
            Server.project_id.in_(projects), Server.wanted != "deleted"
        )
    ).one()
    return {"instances": int(row[0]), "cores": int(row[1]), "ram": int(row[2])}


def within_quota(db: Session, bounds: Sequence[Bound], flavor: Flavor, least: int, most: int) -> int:
    """How many servers may be made now. Raises OverQuota below `least`."""
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
    counted = [(bound.limits, usage(db, bound.projects)) for bound in bounds]
    room = [
        (limits[name] - used[name]) // one
        for limits, used in counted
        for name, one in each.items()
        if one > 0 and limits.get(name, quotas.UNLIMITED) >= 0
    ]
    count = max(least, min([most, *room]))
    try:
        for limits, used in counted:
            quotas.check(limits, used, {name: one * count for name, one in each.items()})
    except quotas.Exceeded as exceeded:
        names = ", ".join(exceeded.short)
        wanted, held, limit = (", ".join(str(entry[i]) for entry in exceeded.short.values()) for i in range(3))
        message = f"Quota exceeded for {names}: Requested {wanted}, but already used {held} of {limit} {names}"
        raise OverQuota(message) from None
    return count


def _placement(call: Call, asked: CreateServer) -> tuple[str | None, str | None]:
    """Availability zone and, for administrators, a host: `zone:host` or the fields of 2.74."""
    zone, _, host = (_given(asked.availability_zone) or "").partition(":")
    if host and not call.allows("os_compute_api:servers:create:forced_host"):
        raise Forbidden("Policy does not allow os_compute_api:servers:create:forced_host to be performed.")
    named = [name for name in (_given(asked.host), _given(asked.hypervisor_hostname)) if name]
    if named:
        call.enforce("compute:servers:create:requested_destination")
        known = set(call.db.scalars(select(Host.name)))
        if missing := [name for name in named if name not in known]:
            raise BadRequest(f"Compute host {missing[0]} could not be found.")
    if zone and call.db.scalar(select(Host.id).where(Host.availability_zone == zone).limit(1)) is None:
        raise BadRequest("The requested availability zone is not available")
    return zone or None, host.partition(":")[0] or None


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
            network_id=_given(nic.uuid), port_id=_given(nic.port), fixed_ip=_given(nic.fixed_ip), tag=_given(nic.tag)
        )
        for nic in asked.networks
    ]


def _group_names(asked: CreateServer) -> list[str]:
    groups = [] if isinstance(asked.security_groups, Unset) else [group.name for group in asked.security_groups]
    return list(dict.fromkeys(groups)) or ["default"]


def _keypair(call: Call, asked: CreateServer) -> Keypair | None:
    name = _given(asked.key_name)
    if not name:
        return None
    key = call.db.get(Keypair, (call.context.user_id, name))
    if key is None:
        raise BadRequest("Invalid key_name provided.")
    return key


def _user_data(asked: CreateServer) -> str | None:
    text = _given(asked.user_data)
    if text is None:
        return None
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("User data needs to be valid base 64.") from None
    return str(text)
