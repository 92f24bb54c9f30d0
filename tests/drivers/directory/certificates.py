"""Authorities and server certificates for tests."""

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pileus.kernel import clock


class Authority(NamedTuple):
    file: Path
    name: x509.Name
    key: rsa.RSAPrivateKey


def authority(folder: Path, name: str) -> Authority:
    subject, key = _name(name), _key()
    made = _builder(subject, subject, key)
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file = folder / f"{name}.pem"
    file.write_bytes(signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return Authority(file, subject, key)


def certificate(folder: Path, by: Authority, address: str) -> tuple[Path, Path]:
    """Files of the certificate and its key."""
    key = _key()
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName(address)])
    made = _builder(_name(address), by.name, key).add_extension(names, critical=False)
    files = folder / "server.pem", folder / "server.key"
    files[0].write_bytes(made.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return files


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    day = timedelta(days=1)
    return builder.not_valid_before(clock.now() - day).not_valid_after(clock.now() + day)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
