"""Signatures of images: every kind of key and hash, and all that must not pass."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from pileus.image.signatures.certificates import Folder
from pileus.image.signatures.keys import BINARY_CURVES, HASHES, KEY_TYPES
from pileus.image.signatures.properties import NAMES, SignatureRefused
from pileus.image.signatures.verifier import Verifier, verifier
from tests.image.signatures.signers import UUID, certificate, key, put, sign

DATA = bytes(range(256)) * 300


def properties(signature: str, key_type: str = "RSA-PSS", hash_method: str = "SHA-256") -> dict[str, str | None]:
    return {"os_distro": "debian", **dict(zip(NAMES, (signature, hash_method, key_type, UUID), strict=True))}


def made(folder: Path, given: dict[str, str | None]) -> Verifier:
    found = verifier(given, Folder(folder))
    assert found is not None
    return found


def passes(check: Verifier, data: bytes, block: int = 1 << 20) -> bool:
    for at in range(0, len(data), block):
        check.update(memoryview(data)[at : at + block])
    try:
        check.verify()
    except SignatureRefused as refused:
        assert refused.status == 400
        return False
    return True


@pytest.mark.parametrize("hash_method", HASHES)
@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_every_kind_of_key_and_hash(tmp_path: Path, key_type: str, hash_method: str) -> None:
    signer = key(key_type)
    put(tmp_path, certificate(signer))
    given = properties(sign(signer, DATA, hash_method), key_type, hash_method)
    assert passes(made(tmp_path, given), DATA)
    assert passes(made(tmp_path, given), DATA, block=777)  # however it is cut
    assert not passes(made(tmp_path, given), DATA[:-1])
    assert not passes(made(tmp_path, given), DATA + b"\0")
    assert not passes(made(tmp_path, given), b"")
    assert not passes(made(tmp_path, given), b"\1" + DATA[1:])


@pytest.mark.parametrize("key_type", ["RSA-PSS", "ECC_SECP384R1"])
def test_of_another_key(tmp_path: Path, key_type: str) -> None:
    put(tmp_path, certificate(key(key_type)))
    assert not passes(made(tmp_path, properties(sign(key(key_type, 2049), DATA), key_type)), DATA)


@pytest.mark.parametrize("salt", [None, 32, 20])
def test_signers_choose_the_length_of_the_salt(tmp_path: Path, salt: int | None) -> None:
    put(tmp_path, certificate(key("RSA-PSS")))
    assert passes(made(tmp_path, properties(sign(key("RSA-PSS"), DATA, salt=salt))), DATA)


def test_empty_data_can_be_signed(tmp_path: Path) -> None:
    put(tmp_path, certificate(key("RSA-PSS")))
    given = properties(sign(key("RSA-PSS"), b""))
    assert passes(made(tmp_path, given), b"") and not passes(made(tmp_path, given), b"x")


def test_base64_in_lines_and_names_in_small_letters(tmp_path: Path) -> None:
    put(tmp_path, certificate(key("RSA-PSS")))
    text = sign(key("RSA-PSS"), DATA)
    lines = "\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\n"
    assert passes(made(tmp_path, properties(lines, "rsa-pss", "sha-256")), DATA)


def test_an_image_without_signature() -> None:
    assert verifier({"os_distro": "debian"}, None) is None


def test_without_certificates_a_signature_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="no certificates"):
        verifier(properties("AAAA"), None)


@pytest.mark.parametrize("without", NAMES)
@pytest.mark.parametrize("value", ["absent", "", None])
def test_all_four_properties_or_none(tmp_path: Path, without: str, value: str | None) -> None:
    given = properties("AAAA") | {without: value}
    if value == "absent":
        del given[without]
    with pytest.raises(SignatureRefused, match=without):
        verifier(given, Folder(tmp_path))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"img_signature": "not base64!"}, "base64"),
        ({"img_signature": "é"}, "base64"),
        ({"img_signature": "A" * 16388}, "longer"),
        ({"img_signature_hash_method": "MD5"}, "SHA-224, SHA-256"),
        ({"img_signature_hash_method": "sha256"}, "SHA-224, SHA-256"),
        ({"img_signature_key_type": "RSA"}, "RSA-PSS, DSA"),
        ({"img_signature_key_type": "ECC_SECP256R1"}, "not known"),
        *(({"img_signature_key_type": name}, f"{name} is not supported here") for name in BINARY_CURVES),
        ({"img_signature_key_type": "DSA"}, "not of the type DSA"),
        ({"img_signature_key_type": "ECC_SECP384R1"}, "not of the type ECC_SECP384R1"),
        ({"img_signature_certificate_uuid": "../../etc/passwd"}, "not a UUID"),
        ({"img_signature_certificate_uuid": "99999999-2222-3333-4444-555555555555"}, "no certificate 9999"),
    ],
)
def test_wrong_properties(tmp_path: Path, change: dict[str, str], named: str) -> None:
    put(tmp_path, certificate(key("RSA-PSS")))
    with pytest.raises(SignatureRefused, match=named):
        verifier(properties(sign(key("RSA-PSS"), DATA)) | change, Folder(tmp_path))


def test_the_curve_must_be_the_one_named(tmp_path: Path) -> None:
    put(tmp_path, certificate(key("ECC_SECP521R1")))
    with pytest.raises(SignatureRefused, match="ECC_SECP384R1"):
        verifier(properties("AAAA", "ECC_SECP384R1"), Folder(tmp_path))


@pytest.mark.parametrize("kind", ["RSA-PSS", "DSA"])
def test_short_keys_are_refused(tmp_path: Path, kind: str) -> None:
    put(tmp_path, certificate(key(kind, 1024)))
    with pytest.raises(SignatureRefused, match="1024 bits"):
        verifier(properties("AAAA", kind), Folder(tmp_path))


def test_a_signature_of_any_bytes_is_refused_and_no_more(tmp_path: Path) -> None:
    good = b64decode(sign(key("ECC_SECP384R1"), DATA))
    put(tmp_path, certificate(key("ECC_SECP384R1")))
    for bad in (b"", b"\0", good[:-1], good + b"\0", good[::-1], b"\x30" * 5000):
        given = properties(b64encode(bad).decode() or "AA==", "ECC_SECP384R1")
        assert not passes(made(tmp_path, given), DATA)
