"""A client's certificate as a mapping's rules see it: `SSL_CLIENT_SUBJECT_DN_CN`, `SSL_CLIENT_ISSUER_DN_O` and the like."""

from collections.abc import Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.USER_ID: "UID",
    NameOID.EMAIL_ADDRESS: "EMAILADDRESS",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
}


def attributes(der: bytes) -> Mapping[str, tuple[str, ...]]:
    """A name may have several values. Raises ValueError for what is no certificate."""
    found = x509.load_der_x509_certificate(der)
    return _names("SUBJECT", found.subject) | _names("ISSUER", found.issuer)


def _names(whose: str, name: x509.Name) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for part in name:
        if part.oid in SHORT and isinstance(part.value, str):
            key = f"SSL_CLIENT_{whose}_DN_{SHORT[part.oid]}"
            found[key] = (*found.get(key, ()), part.value)
    return found
