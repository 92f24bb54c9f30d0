"""The RSA key and certificate that this cloud signs SAML documents with. Made when first needed."""

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pileus.identity.tokens import keys
from pileus.kernel import clock

YEARS = 20  # those who trust a SAML certificate have it by hand: a short life would only break them


class SamlKeys(NamedTuple):
    key: Path
    certificate: Path


def ready(folder: Path, name: str) -> SamlKeys:
    """The files in `folder`; `name` is what the certificate says. An operator may put others there."""
    found = SamlKeys(folder / "key.pem", folder / "certificate.pem")
    if not found.certificate.exists():
        with keys.locked(folder):
            if not found.certificate.exists():
                key, certificate = _new(name)
                keys.write(found.key, key)
                keys.write(found.certificate, certificate)
    return found


def _new(name: str) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(65537, 3072)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
