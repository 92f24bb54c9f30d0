"""What users say of data at an address of theirs: `validation_data`, and the address itself."""

import hashlib
import re

import msgspec

from pileus.image.data.intake import HASHES
from pileus.image.drivers.base import Store
from pileus.image.stores.registry import Stores
from pileus.image.web import Refused, Web
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Digests in hex."""

    os_hash_algo: str
    os_hash_value: str
    checksum: str | None = None

    @classmethod
    def of(cls, given: object) -> "Validation | None":
        """Raises BadRequest unless it is whole and could be true."""
        if given is None or given == {}:
            return None
        try:
            said = msgspec.convert(given, cls)
        except msgspec.ValidationError as error:
            raise BadRequest(f"validation_data: {error}") from None
        if said.os_hash_algo not in HASHES:
            raise BadRequest(f"os_hash_algo is one of {', '.join(HASHES)}, not {said.os_hash_algo!r}.")
        digits = 2 * hashlib.new(said.os_hash_algo).digest_size
        if not re.fullmatch(f"[0-9a-f]{{{digits}}}", said.os_hash_value, re.IGNORECASE):
            raise BadRequest(f"os_hash_value of {said.os_hash_algo} has {digits} hexadecimal digits.")
        if said.checksum is not None and not re.fullmatch("[0-9a-f]{32}", said.checksum, re.IGNORECASE):
            raise BadRequest("checksum has 32 hexadecimal digits.")
        return said


def pointed_at(cloud: Cloud, url: str) -> Store:
    """The store that reads that address. Raises BadRequest when none does, or when this cloud does not go there."""
    store = cloud.part(Stores).for_url(url)
    if store is None:
        raise BadRequest(f"No store of this cloud reads {url[:200]!r}.")
    try:
        cloud.part(Web).check(url)
    except Refused as error:
        raise BadRequest(str(error)) from None
    return store
