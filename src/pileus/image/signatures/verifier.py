"""Checking a signature while the data pass by."""

import hashlib
from collections.abc import Mapping

from pileus.image.signatures.certificates import Certificates
from pileus.image.signatures.keys import Check, check_of, hash_named, holds
from pileus.image.signatures.properties import SignatureRefused, claim


class Verifier:
    """`update` with the data, block by block, then `verify` once."""

    def __init__(self, hash_name: str, check: Check, signature: bytes) -> None:
        self._hash = hashlib.new(hash_name, usedforsecurity=True)
        self._check = check
        self._signature = signature

    def update(self, block: bytes | bytearray | memoryview) -> None:
        self._hash.update(block)

    def verify(self) -> None:
        """Raises SignatureRefused unless the signature is of all the data that were given."""
        if not holds(self._check, self._signature, self._hash.digest()):
            raise SignatureRefused("The image's signature does not fit its data.")


def verifier(properties: Mapping[str, str | None], certificates: Certificates | None) -> Verifier | None:
    """For data of an image with these properties; None if it is not signed.

    `certificates` None: this cloud knows none. Raises SignatureRefused, before any data, for what can not be checked.
    """
    claimed = claim(properties)
    if claimed is None:
        return None
    if certificates is None:
        raise SignatureRefused("This cloud keeps no certificates of signers: it can not check the image's signature.")
    hash_name, algorithm = hash_named(claimed.hash_method)
    key = certificates.find(claimed.certificate).public_key()
    return Verifier(hash_name, check_of(claimed.key_type, key, algorithm), claimed.signature)
