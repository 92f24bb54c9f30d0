"""Kinds of keys and hashes by their documented names, and how each checks a signature of a digest."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from pileus.image.signatures.properties import HASH_METHOD, KEY_TYPE, SignatureRefused

# By the names of hashlib, whose code is the fastest there is for long data.
HASHES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "SHA-224": ("sha224", hashes.SHA224()),
    "SHA-256": ("sha256", hashes.SHA256()),
    "SHA-384": ("sha384", hashes.SHA384()),
    "SHA-512": ("sha512", hashes.SHA512()),
}
CURVES = {"ECC_SECP521R1": "secp521r1", "ECC_SECP384R1": "secp384r1"}
# Documented too, but cryptography has them no more.
BINARY_CURVES = ("ECC_SECT571K1", "ECC_SECT409K1", "ECC_SECT571R1", "ECC_SECT409R1")
KEY_TYPES = ("RSA-PSS", "DSA", *CURVES)
LEAST_BITS = 2048  # of RSA and DSA: shorter keys can be broken
Check = Callable[[bytes, bytes], None]  # signature, digest; raises InvalidSignature


def hash_named(name: str) -> tuple[str, hashes.HashAlgorithm]:
    if name not in HASHES:
        raise SignatureRefused(f"{HASH_METHOD} must be one of {', '.join(HASHES)}.")
    return HASHES[name]


def check_of(key_type: str, key: CertificatePublicKeyTypes, algorithm: hashes.HashAlgorithm) -> Check:
    """Raises SignatureRefused for a kind of key that is not known, or that the certificate's key is not."""
    prehashed = Prehashed(algorithm)
    if key_type == "RSA-PSS" and isinstance(key, rsa.RSAPublicKey):
        _check_length(key.key_size)
        pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.AUTO)  # signers choose the salt's length
        return lambda signature, digest: key.verify(signature, digest, pss, prehashed)
    if key_type == "DSA" and isinstance(key, dsa.DSAPublicKey):
        _check_length(key.key_size)
        return lambda signature, digest: key.verify(signature, digest, prehashed)
    if key_type in CURVES and isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == CURVES[key_type]:
        return lambda signature, digest: key.verify(signature, digest, ec.ECDSA(prehashed))
    if key_type in KEY_TYPES:
        raise SignatureRefused(f"The certificate's key is not of the type {key_type}.")
    reason = f"{key_type} is not supported here" if key_type in BINARY_CURVES else "is not known"
    raise SignatureRefused(f"{KEY_TYPE} {reason}; use one of {', '.join(KEY_TYPES)}.")


def _check_length(bits: int) -> None:
    if bits < LEAST_BITS:
        raise SignatureRefused(f"The certificate's key has {bits} bits: {LEAST_BITS} are needed.")


def holds(check: Check, signature: bytes, digest: bytes) -> bool:
    try:
        check(signature, digest)
    except (InvalidSignature, ValueError):
        return False
    return True
