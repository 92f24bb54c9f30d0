"""Where signers' certificates are, and which of them are believed."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.x509 import verification

from pileus.image.signatures.properties import SignatureRefused
from pileus.kernel import clock
from pileus.kernel.config import ConfigError

log = logging.getLogger(__name__)
LARGEST = 1 << 20  # bytes of a file of certificates


class Certificates(Protocol):
    def find(self, uuid: str) -> x509.Certificate:
        """One that is valid now, and meant for signatures. Raises SignatureRefused, with a reason that is safe to show."""


class Folder:
    """A folder of files `<uuid>.pem`: the signer's certificate first, then those that lead from it to an authority."""

    def __init__(self, folder: Path, authorities: Path | None = None) -> None:
        """`authorities`: a PEM file of those that are trusted; None: what is in the folder is. Raises ConfigError."""
        self._folder = folder
        self._trusted: list[x509.Certificate] | None = None
        if not folder.is_dir():
            raise ConfigError(f"the folder of signers' certificates, {folder}, does not exist")
        if authorities is not None:
            try:
                self._trusted = x509.load_pem_x509_certificates(authorities.read_bytes())
            except (OSError, ValueError) as error:
                raise ConfigError(f"certificates of authorities can not be read from {authorities}: {error}") from None

    def find(self, uuid: str) -> x509.Certificate:
        try:
            with (self._folder / f"{uuid}.pem").open("rb") as file:
                text = file.read(LARGEST + 1)
        except FileNotFoundError:
            raise SignatureRefused(f"There is no certificate {uuid}.") from None
        except OSError as error:
            raise SignatureRefused(f"Certificate {uuid} can not be read: {error.strerror}.") from None
        try:
            certificate, *others = x509.load_pem_x509_certificates(text[:LARGEST])
            _check_use(certificate, uuid)
        except ValueError:
            raise SignatureRefused(f"Certificate {uuid} can not be understood.") from None
        if self._trusted is not None:
            _check_chain(certificate, others, self._trusted, uuid)
        return certificate


def _check_use(certificate: x509.Certificate, uuid: str) -> None:
    now = clock.now()
    if now < certificate.not_valid_before_utc.replace(tzinfo=None):
        raise SignatureRefused(f"Certificate {uuid} is not valid yet.")
    if now > certificate.not_valid_after_utc.replace(tzinfo=None):
        raise SignatureRefused(f"Certificate {uuid} has expired.")
    try:
        use = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (use.digital_signature or use.content_commitment):
        raise SignatureRefused(f"Certificate {uuid} is not meant for signatures.")


def _check_chain(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], uuid: str
) -> None:
    """The signer's certificate may have any extensions; authorities need those of RFC 5280, but for the use of their keys."""
    policies, agnostic = verification.ExtensionPolicy, verification.Criticality.AGNOSTIC
    authorities = policies.webpki_defaults_ca().may_be_present(x509.KeyUsage, agnostic, _check_signs_certificates)
    builder = verification.PolicyBuilder().store(verification.Store(list(trusted)))
    builder = builder.extension_policies(ee_policy=policies.permit_all(), ca_policy=authorities)
    try:
        builder.build_client_verifier().verify(certificate, list(others))
    except verification.VerificationError as error:
        log.info("certificate %s of a signer is refused: %s", uuid, error)
        raise SignatureRefused(f"Certificate {uuid} does not come from an authority that is trusted here.") from None


def _check_signs_certificates(
    policy: verification.Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    """What `openssl req -x509` makes says nothing of it; what does must say so."""
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("the authority's key is not meant for certificates")
