"""MAC addresses: made under our prefix, or checked."""

import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.network.errors import conflict, invalid
from pileus.network.ports.models import Port

PREFIX = "fa:16:3e"
_FORM = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
ATTEMPTS = 16


def make(db: Session, network_id: str) -> str:
    """A MAC that no port of the network has."""
    for _ in range(ATTEMPTS):
        tail = secrets.token_bytes(3)
        mac = f"{PREFIX}:{tail[0]:02x}:{tail[1]:02x}:{tail[2]:02x}"
        if not taken(db, network_id, mac):
            return mac
    raise conflict(f"Unable to generate unique mac on network {network_id}.", "MacAddressGenerationFailure")


def taken(db: Session, network_id: str, mac: str) -> bool:
    return db.scalar(select(Port.id).where(Port.network_id == network_id, Port.mac_address == mac)) is not None


def checked(text: str) -> str:
    """In lower case with colons. Raises BadRequest for anything that is not a station's address."""
    mac = text.strip().lower().replace("-", ":")
    if not _FORM.fullmatch(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise invalid(f"'{text}' is not a valid MAC address.")
    return mac
