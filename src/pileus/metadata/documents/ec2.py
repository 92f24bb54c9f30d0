"""The EC2 tree, as the instance metadata of that API documents it: a directory of small texts."""

from typing import Union

from pileus.compute.servers.models import Server
from pileus.metadata.documents.openstack import fqdn
from pileus.network.internal import PortFacts

VERSIONS = (
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "latest",
)
Tree = dict[str, Union[str, "Tree"]]


def instance_id(server: Server) -> str:
    """`i-` and the first eight digits of the server's id: stable, and looks as EC2's do."""
    return f"i-{server.id[:8]}"


def meta_data(server: Server, ports: list[PortFacts], domain: str) -> Tree:
    fixed = [address for port in ports for address in port.fixed_ips if address.ip_version == 4]
    floating = next((ip for address in fixed for ip in address.floating_ips), "")
    name = fqdn(server, domain)
    tree: Tree = {
        "ami-id": f"ami-{(server.image_id or '00000000')[:8]}",
        "ami-launch-index": str(server.launch_index),
        "ami-manifest-path": "",
        "block-device-mapping": {"ami": "vda", "root": "/dev/vda"},
        "hostname": name,
        "instance-action": "none",
        "instance-id": instance_id(server),
        "instance-type": server.flavor["name"],
        "local-hostname": name,
        "local-ipv4": fixed[0].ip_address if fixed else "",
        "placement": {"availability-zone": server.availability_zone or ""},
        "public-hostname": name,
        "public-ipv4": floating,
        "reservation-id": server.reservation_id,
        "security-groups": "\n".join(sorted({group for port in ports for group in port.security_groups})),
    }
    if server.key_name and server.public_key:
        tree["public-keys"] = {f"0={server.key_name}": {"openssh-key": server.public_key}}
    return tree


def look_up(tree: Tree, parts: list[str]) -> str | None:
    """A text, or the listing of a directory (`name/` for directories, `0=name` for keys, which are asked for by number)."""
    here: str | Tree = tree
    for part in parts:
        if isinstance(here, str):
            return None
        found = here.get(part)
        if found is None:
            found = next((value for key, value in here.items() if key.partition("=")[0] == part and "=" in key), None)
        if found is None:
            return None
        here = found
    if isinstance(here, str):
        return here
    return "\n".join(key if isinstance(value, str) or "=" in key else f"{key}/" for key, value in here.items())
