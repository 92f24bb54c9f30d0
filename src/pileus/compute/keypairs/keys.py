"""Public keys: making them, checking them, and their fingerprints."""

import base64
import binascii
import hashlib
from datetime import timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from pileus.kernel import clock

TOKENS = ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")  # keys in hardware: the form is checked
READ = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
SMALLEST_RSA = 1024  # bits; guests' own policies ask for more


class Made(NamedTuple):
    private_key: str
    public_key: str
    fingerprint: str


def fingerprint(kind: str, public_key: str) -> str:
    """MD5 of an SSH key, SHA-1 of a certificate, as colon-separated hex. ValueError, with the reason, when it is none."""
    if kind == "x509":
        try:
            certificate = x509.load_pem_x509_certificate(public_key.encode()).public_bytes(Encoding.DER)
        except ValueError:
            raise ValueError("it is not an X.509 certificate in PEM form") from None
        return _colons(hashlib.sha1(certificate, usedforsecurity=False).digest())
    return _colons(hashlib.md5(_ssh_blob(public_key), usedforsecurity=False).digest())


def _ssh_blob(public_key: str) -> bytes:
    line = public_key.strip()
    name, _, rest = line.partition(" ")
    text = rest.strip().partition(" ")[0]
    if "\n" in line or "\r" in line or name not in (*READ, *TOKENS) or not text:
        raise ValueError(
            f"it is not one line '<type> <base64> [comment]' of a type among {', '.join((*READ, *TOKENS))}"
        )
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("its second word is not base64") from None
    size = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + size] != name.encode():
        raise ValueError("its data is of another type than its first word says")
    if name in READ:
        try:
            key = load_ssh_public_key(f"{name} {text}".encode())
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("its data is not a public key") from None
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < SMALLEST_RSA:
            raise ValueError(f"an RSA key has {SMALLEST_RSA} bits or more")
    return blob


def make(kind: str, user_id: str) -> Made:
    return _make_certificate(user_id) if kind == "x509" else _make_ssh()


def _make_ssh() -> Made:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " Generated-by-Pileus"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return Made(private, public, fingerprint("ssh", public))


def _make_certificate(user_id: str) -> Made:
    """A self-signed client certificate, as WinRM takes it."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, user_id[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now())
        .not_valid_after(clock.now() + timedelta(days=3650))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(Encoding.PEM).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Made(private, public, fingerprint("x509", public))


def _colons(digest: bytes) -> str:
    return digest.hex(":")
