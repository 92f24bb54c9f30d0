"""Key pairs as the API shows them, by microversion."""

import zlib

from pileus.compute.keypairs.models import Keypair
from pileus.kernel.http.call import Call, Json


def brief(call: Call, key: Keypair) -> Json:
    shown: Json = {"name": key.name, "public_key": key.public_key, "fingerprint": key.fingerprint}
    return shown | ({"type": key.type} if call.at_least(2, 2) else {})


def created(call: Call, key: Keypair, private_key: str | None) -> Json:
    shown = brief(call, key) | {"user_id": key.user_id}
    return shown | ({"private_key": private_key} if private_key is not None else {})


def detail(call: Call, key: Keypair) -> Json:
    return brief(call, key) | {
        "user_id": key.user_id,
        "id": zlib.crc32(f"{key.user_id}/{key.name}".encode()) >> 1,  # documented as a number without further meaning
        "created_at": key.created_at.isoformat(),
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }
