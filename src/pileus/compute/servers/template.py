"""The columns that every server of one request shares."""

import base64
import binascii
import ipaddress
import secrets
import string
from typing import Any

from pileus.compute.flavors.models import Flavor
from pileus.compute.keypairs.models import Keypair
from pileus.compute.servers.schemas import CreateServer, given
from pileus.compute.settings import ComputeSettings
from pileus.image.internal import ImageFacts
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call

PASSWORD_LETTERS = string.ascii_letters + string.digits


def template(
    call: Call, asked: CreateServer, flavor: Flavor, image: ImageFacts, meta: dict[str, str], zone: str | None
) -> dict[str, Any]:
    """The columns that every server of the request shares."""
    key = _keypair(call, asked)
    settings = call.cloud.settings(ComputeSettings)
    return {
        "project_id": call.context.project_id,
        "user_id": call.context.user_id,
        "description": given(asked.description) if call.at_least(2, 19) else asked.name,
        "reservation_id": f"r-{secrets.token_hex(4)}",
        "flavor_id": flavor.id,
        "flavor": kept(flavor),
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
        "config_drive": bool(given(asked.config_drive)) or settings.force_config_drive,
        "admin_pass": given(asked.adminPass) or "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(12)),
        "meta": meta,
        "access_ip_v4": checked_address(given(asked.accessIPv4), 4),
        "access_ip_v6": checked_address(given(asked.accessIPv6), 6),
        "disk_config": given(asked.disk_config) or "MANUAL",
        "availability_zone": zone,
    }


def _keypair(call: Call, asked: CreateServer) -> Keypair | None:
    name = given(asked.key_name)
    if not name:
        return None
    key = call.db.get(Keypair, (call.context.user_id, name))
    if key is None:
        raise BadRequest("Invalid key_name provided.")
    return key


def _user_data(asked: CreateServer) -> str | None:
    text = given(asked.user_data)
    if text is None:
        return None
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("User data needs to be valid base 64.") from None
    return str(text)


def kept(flavor: Flavor) -> dict[str, Any]:
    """What a server keeps of its flavor."""
    names = ("name", "vcpus", "ram", "disk", "ephemeral", "swap", "extra_specs")
    return {name: getattr(flavor, name) for name in names}


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
