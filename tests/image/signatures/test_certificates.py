"""Which certificates of signers are believed."""

from pathlib import Path

import pytest

from pileus.image.signatures.certificates import Folder
from pileus.image.signatures.properties import SignatureRefused
from pileus.kernel.config import ConfigError
from tests.image.signatures.signers import UUID, certificate, key, put

ROOT, MIDDLE, SIGNER = key("RSA-PSS", 2048), key("RSA-PSS", 2049), key("RSA-PSS", 2050)
ROOT_CERTIFICATE = certificate(ROOT, name="root", authority=True)


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    return put(tmp_path, ROOT_CERTIFICATE, name="authorities")


def test_a_valid_one_is_found(tmp_path: Path) -> None:
    made = certificate(SIGNER)
    put(tmp_path, made)
    assert Folder(tmp_path).find(UUID) == made


@pytest.mark.parametrize(("days", "named"), [((-2, -1), "has expired"), ((1, 2), "not valid yet")])
def test_outside_its_time(tmp_path: Path, days: tuple[float, float], named: str) -> None:
    put(tmp_path, certificate(SIGNER, days=days))
    with pytest.raises(SignatureRefused, match=named):
        Folder(tmp_path).find(UUID)


@pytest.mark.parametrize(
    ("usage", "good"),
    [("digital_signature", True), ("content_commitment", True), ("key_encipherment", False), ("key_cert_sign", False)],
)
def test_what_the_key_is_meant_for(tmp_path: Path, usage: str, good: bool) -> None:
    put(tmp_path, certificate(SIGNER, usage=usage))
    if good:
        Folder(tmp_path).find(UUID)
        return
    with pytest.raises(SignatureRefused, match="not meant for signatures"):
        Folder(tmp_path).find(UUID)


@pytest.mark.parametrize("text", [b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate(tmp_path: Path, text: bytes) -> None:
    (tmp_path / f"{UUID}.pem").write_bytes(text)
    with pytest.raises(SignatureRefused, match="can not be understood"):
        Folder(tmp_path).find(UUID)


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / f"{UUID}.pem").mkdir()
    with pytest.raises(SignatureRefused, match="can not be read") as refused:
        Folder(tmp_path).find(UUID)
    assert str(tmp_path) not in refused.value.message


@pytest.mark.parametrize("kind", ["RSA-PSS", "DSA", "ECC_SECP384R1", "ECC_SECP521R1"])
def test_from_a_trusted_authority(tmp_path: Path, authorities: Path, kind: str) -> None:
    put(tmp_path, certificate(key(kind), ("root", ROOT), usage="digital_signature"))
    Folder(tmp_path, authorities).find(UUID)


@pytest.mark.parametrize(("usage", "good"), [("key_cert_sign", True), ("crl_sign", False)])
def test_what_the_key_of_an_authority_is_meant_for(tmp_path: Path, usage: str, good: bool) -> None:
    authorities = put(tmp_path, certificate(ROOT, name="root", authority=True, usage=usage), name="authorities")
    put(tmp_path, certificate(SIGNER, ("root", ROOT)))
    if good:
        Folder(tmp_path, authorities).find(UUID)
        return
    with pytest.raises(SignatureRefused, match="authority"):
        Folder(tmp_path, authorities).find(UUID)


def test_through_one_between(tmp_path: Path, authorities: Path) -> None:
    middle = certificate(MIDDLE, ("root", ROOT), name="middle", authority=True)
    signer = certificate(SIGNER, ("middle", MIDDLE))
    put(tmp_path, signer, middle)
    assert Folder(tmp_path, authorities).find(UUID) == signer
    put(tmp_path, signer)
    with pytest.raises(SignatureRefused, match="authority"):
        Folder(tmp_path, authorities).find(UUID)


def test_what_no_authority_vouches_for(tmp_path: Path, authorities: Path) -> None:
    no_path = certificate(key("RSA-PSS", 2051), ("root", ROOT), name="narrow", authority=True, path_length=0)
    too_long = certificate(MIDDLE, ("narrow", key("RSA-PSS", 2051)), name="middle", authority=True)
    no_authority = certificate(MIDDLE, ("root", ROOT), name="middle", usage="digital_signature")
    expired = certificate(MIDDLE, ("root", ROOT), name="middle", authority=True, days=(-2, -1))
    by_middle = certificate(SIGNER, ("middle", MIDDLE))
    for chain in (
        (certificate(SIGNER),),  # by itself
        (certificate(SIGNER, ("root", MIDDLE)),),  # by somebody of the same name
        (by_middle, no_authority),
        (by_middle, too_long, no_path),
        (by_middle, expired),
        (by_middle, certificate(MIDDLE, name="middle", authority=True)),  # an authority of one's own
    ):
        put(tmp_path, *chain)
        Folder(tmp_path).find(UUID)
        with pytest.raises(SignatureRefused, match="authority"):
            Folder(tmp_path, authorities).find(UUID)


def test_wrong_settings_refuse_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        Folder(tmp_path / "none")
    with pytest.raises(ConfigError, match="none"):
        Folder(tmp_path, tmp_path / "none")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(ConfigError, match="empty"):
        Folder(tmp_path, tmp_path / "empty")
