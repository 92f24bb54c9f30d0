"""Servers as the API shows them (Compute API, Servers), by microversion."""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from pileus.compute.hosts.models import Host
from pileus.compute.server_groups import membership
from pileus.compute.servers import states
from pileus.compute.servers.models import Server
from pileus.kernel import clock
from pileus.kernel.http.call import Call, Json
from pileus.network import internal as network
from pileus.network.internal import PortFacts

# What the reply of an update lacks below microversion 2.75 (Compute API, Update Server).
NOT_IN_UPDATES = (
    *("key_name", "config_drive", "security_groups", "host_status", "OS-EXT-AZ:availability_zone"),
    *("os-extended-volumes:volumes_attached",),
    *("OS-EXT-STS:", "OS-EXT-SRV-ATTR:", "OS-SRV-USG:"),
)


def links(call: Call, server_id: str) -> list[Json]:
    return [
        {"rel": "self", "href": call.url(f"/v2.1/servers/{server_id}")},
        {"rel": "bookmark", "href": call.url(f"/servers/{server_id}")},
    ]


def brief(call: Call, server: Server) -> Json:
    return {"id": server.id, "name": server.name, "links": links(call, server.id)}


def many(call: Call, servers: Sequence[Server]) -> list[Json]:
    """Details of a page: three queries whatever its length."""
    ports = network.ports_of(call.db, [server.id for server in servers])
    extended = call.allows("os_compute_api:os-extended-server-attributes")
    shown = [detail(call, server, ports.get(server.id, []), extended=extended) for server in servers]
    if call.at_least(2, 16) and call.allows("os_compute_api:servers:show:host_status"):
        hosts = {host.name: host for host in call.db.scalars(select(Host))}
        for server, item in zip(servers, shown, strict=True):
            item["host_status"] = host_status(hosts.get(server.host or ""))
    return shown


def host_status(host: Host | None) -> str:
    if host is None:
        return ""
    if host.disabled:
        return "MAINTENANCE"
    return "UP" if host.up else "DOWN"


def one(call: Call, server: Server) -> Json:
    shown = many(call, [server])[0]
    if call.at_least(2, 71):
        shown["server_groups"] = list(membership.groups_of(call.db, [server.id]).values())
    return shown


def updated(call: Call, server: Server) -> Json:
    """The reply of PUT."""
    shown = one(call, server)
    if call.at_least(2, 75):
        return shown
    return {name: value for name, value in shown.items() if not name.startswith(NOT_IN_UPDATES)}


def addresses(ports: Sequence[PortFacts]) -> dict[str, list[Json]]:
    """Network name -> its addresses, fixed and floating."""
    out: dict[str, list[Json]] = {}
    for port in ports:
        entries = out.setdefault(port.network_name, [])
        for fixed in port.fixed_ips:
            common = {"OS-EXT-IPS-MAC:mac_addr": port.mac_address}
            entries.append(
                {"version": fixed.ip_version, "addr": fixed.ip_address, "OS-EXT-IPS:type": "fixed", **common}
            )
            entries += [
                {"version": 4, "addr": address, "OS-EXT-IPS:type": "floating", **common}
                for address in fixed.floating_ips
            ]
    return out


def flavor(call: Call, server: Server) -> Json:
    held = server.flavor
    if call.at_least(2, 47):
        names = ("vcpus", "ram", "disk", "ephemeral", "swap")
        shown = {name: held[name] for name in names} | {
            "original_name": held["name"],
            "extra_specs": held["extra_specs"],
        }
        return {
            k: v
            for k, v in shown.items()
            if k != "extra_specs" or call.allows("os_compute_api:os-flavor-extra-specs:index")
        }
    return {"id": server.flavor_id, "links": [{"rel": "bookmark", "href": call.url(f"/flavors/{server.flavor_id}")}]}


def image(call: Call, server: Server) -> Json | str:
    if server.image_id is None:
        return ""
    shown: Json = {
        "id": server.image_id,
        "links": [{"rel": "bookmark", "href": call.url(f"/images/{server.image_id}")}],
    }
    if call.at_least(2, 98):
        shown["properties"] = server.image.get("properties", {})
    return shown


def fault(call: Call, held: Mapping[str, object]) -> Json:
    """`details` (per host, per check) are for administrators."""
    shown: Json = {"code": held["code"], "message": held["message"], "created": held["created"]}
    if call.context.is_admin and held.get("details"):
        shown["details"] = held["details"]
    return shown


def detail(call: Call, server: Server, ports: Sequence[PortFacts], *, extended: bool) -> Json:
    state = states.state(server, server.guest)
    groups = {name for port in ports for name in port.security_groups}
    shown: Json = {
        "id": server.id,
        "name": server.name,
        "status": state.status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": server.meta,
        "hostId": host_id(server),
        "image": image(call, server),
        "flavor": flavor(call, server),
        "created": clock.iso(server.created_at),
        "updated": clock.iso(server.updated_at),
        "addresses": addresses(ports),
        "accessIPv4": server.access_ip_v4 or "",
        "accessIPv6": server.access_ip_v6 or "",
        "links": links(call, server.id),
        "OS-DCF:diskConfig": server.disk_config,
        "OS-EXT-AZ:availability_zone": server.availability_zone or "",
        "config_drive": "True" if server.config_drive else "",
        "key_name": server.key_name,
        "OS-SRV-USG:launched_at": server.launched_at.isoformat() if server.launched_at else None,
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-STS:task_state": state.task_state,
        "OS-EXT-STS:vm_state": state.vm_state,
        "OS-EXT-STS:power_state": state.power_state,
        "os-extended-volumes:volumes_attached": [],
    }
    if groups:
        shown["security_groups"] = [{"name": name} for name in sorted(groups)]
    if state.status in ("ACTIVE", "BUILD", "REBUILD", "REBOOT", "HARD_REBOOT", "PAUSED"):
        shown["progress"] = 100 if state.status == "ACTIVE" else 0
    if server.fault is not None:
        shown["fault"] = fault(call, server.fault)
    if call.at_least(2, 9):
        shown["locked"] = server.locked_by is not None
    if call.at_least(2, 19):
        shown["description"] = server.description
    if call.at_least(2, 26):
        shown["tags"] = [tag.tag for tag in server.tags]
    if call.at_least(2, 63):
        shown["trusted_image_certificates"] = None
    if call.at_least(2, 73):
        shown["locked_reason"] = server.locked_reason
    if call.at_least(2, 90):
        shown["OS-EXT-SRV-ATTR:hostname"] = server.hostname
    if call.at_least(2, 96):
        shown["pinned_availability_zone"] = server.availability_zone
    if extended:
        shown |= extended_attributes(call, server)
    return shown


def extended_attributes(call: Call, server: Server) -> Json:
    shown: Json = {
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id}",
    }
    if call.at_least(2, 3):
        shown |= {
            "OS-EXT-SRV-ATTR:reservation_id": server.reservation_id,
            "OS-EXT-SRV-ATTR:launch_index": server.launch_index,
            "OS-EXT-SRV-ATTR:hostname": server.hostname,
            "OS-EXT-SRV-ATTR:kernel_id": "",
            "OS-EXT-SRV-ATTR:ramdisk_id": "",
            "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
            "OS-EXT-SRV-ATTR:user_data": server.user_data,
        }
    return shown


def host_id(server: Server) -> str:
    """The same for servers of one project on one host, and telling nothing else."""
    return hashlib.sha224(f"{server.project_id}{server.host}".encode()).hexdigest() if server.host else ""
