"""Keys of every kind, certificates for them, and what a signer makes of data."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

UUID = "11111111-2222-3333-4444-555555555555"
Key = rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey
HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA-224": hashes.SHA224(),
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
}


@cache
def key(kind: str, bits: int = 2048) -> Key:
    """Another one for each pair of arguments."""
    if kind == "DSA":
        return dsa.generate_private_key(bits)
    curves = {"ECC_SECP384R1": ec.SECP384R1(), "ECC_SECP521R1": ec.SECP521R1(), "P-256": ec.SECP256R1()}
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    return rsa.generate_private_key(65537, bits)


def sign(signer: Key, data: bytes, hash_method: str = "SHA-256", salt: int | None = None) -> str:
    """In base64. `salt`: bytes of the salt of PSS; None: as many as there can be, as openssl does."""
    algorithm = HASHES[hash_method]
    if isinstance(signer, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.MAX_LENGTH if salt is None else salt)
        made = signer.sign(data, pss, algorithm)
    elif isinstance(signer, dsa.DSAPrivateKey):
        made = signer.sign(data, algorithm)
    else:
        made = signer.sign(data, ec.ECDSA(algorithm))
    return b64encode(made).decode()


def certificate(
    subject: Key,
    issuer: tuple[str, Key] | None = None,
    *,
    name: str = "signer",
    authority: bool = False,
    path_length: int | None = None,
    days: tuple[float, float] = (-1, 1),
    usage: str = "",
) -> x509.Certificate:
    """`issuer`: name and key; None: the subject itself. `usage`: the one use that the key is meant for, if it says."""
    now = datetime.now(UTC)
    issuer_name, issuer_key = issuer or (name, subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)]))
        .public_key(subject.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(subject.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if usage:
        builder = builder.add_extension(_usage(usage), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def _usage(only: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name == only for name in USES})


def put(folder: Path, *certificates: x509.Certificate, name: str = f"{UUID}.pem") -> Path:
    file = folder / name
    file.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return file
