"""The OpenStack tree: meta_data.json, network_data.json, vendor data (Compute user guide, Metadata service)."""

import base64
import ipaddress
import secrets
from typing import Any

from pileus.compute.servers.models import Server
from pileus.network.internal import PortFacts, SubnetFacts

VERSIONS = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "latest",
)


def fqdn(server: Server, domain: str) -> str:
    return f"{server.hostname}.{domain}" if domain else server.hostname


def meta_data(server: Server, domain: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "uuid": server.id,
        "name": server.name,
        "hostname": fqdn(server, domain),
        "availability_zone": server.availability_zone,
        "project_id": server.project_id,
        "launch_index": server.launch_index,
        "devices": [],
        "dedicated_cpus": [],
        "random_seed": base64.b64encode(secrets.token_bytes(512)).decode(),
    }
    if server.meta:
        document["meta"] = server.meta
    if server.admin_pass:
        document["admin_pass"] = server.admin_pass
    if server.key_name and server.public_key:
        document["public_keys"] = {server.key_name: server.public_key}
        document["keys"] = [{"name": server.key_name, "type": server.key_type, "data": server.public_key}]
    return document


def network_data(ports: list[PortFacts]) -> dict[str, Any]:
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    services: list[dict[str, Any]] = []
    for port in ports:
        links.append(
            {
                "id": port.devname,
                "vif_id": port.id,
                "type": "bridge",
                "mtu": port.mtu,
                "ethernet_mac_address": port.mac_address,
            }
        )
        subnets = {subnet.id: subnet for subnet in port.subnets}
        for fixed in port.fixed_ips:
            networks.append(_network(f"network{len(networks)}", port, fixed.ip_address, subnets[fixed.subnet_id]))
        services += [
            {"type": "dns", "address": address} for subnet in port.subnets for address in subnet.dns_nameservers
        ]
    return {"links": links, "networks": networks, "services": services}


def _network(name: str, port: PortFacts, address: str, subnet: SubnetFacts) -> dict[str, Any]:
    version = subnet.ip_version
    entry: dict[str, Any] = {"id": name, "link": port.devname, "network_id": port.network_id}
    if subnet.enable_dhcp and version == 4:
        return entry | {"type": "ipv4_dhcp"}
    network = ipaddress.ip_network(subnet.cidr)
    routes = [_route(destination, gateway) for destination, gateway in subnet.routes]
    if subnet.gateway_ip:
        routes.insert(0, _route("0.0.0.0/0" if version == 4 else "::/0", subnet.gateway_ip))
    return entry | {
        "type": f"ipv{version}",
        "ip_address": address,
        "netmask": str(network.netmask),
        "routes": routes,
        "services": [{"type": "dns", "address": dns} for dns in subnet.dns_nameservers],
    }


def _route(destination: str, gateway: str) -> dict[str, str]:
    network = ipaddress.ip_network(destination)
    return {"network": str(network.network_address), "netmask": str(network.netmask), "gateway": gateway}
