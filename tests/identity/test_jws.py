"""JWS tokens: what is refused, and why."""

import base64
import hmac
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWS
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.keys import numbers
from pileus.identity.tokens.payload import BadToken, now_ms
from pileus.identity.tokens.providers import signing_keys
from pileus.identity.tokens.providers.jws import JwsProvider
from pileus.identity.tokens.providers.signing_keys import SigningKeys, read_private, thumbprint
from pileus.kernel.config import CloudSettings, Config
from pileus.kernel.http.app import App
from tests.cloud import cloud_of
from tests.identity.conftest import QUICK
from tests.identity.people import PASSWORDS, log_in
from tests.identity.test_token_keys import payload


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    signing_keys.create(tmp_path / "jws")
    return tmp_path / "jws"


def words(data: Any) -> str:
    raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(part: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def bad(folder: Path, token: str) -> None:
    with pytest.raises(BadToken):
        JwsProvider(SigningKeys(folder)).unseal(token)


def test_the_key_is_named_by_its_thumbprint(folder: Path) -> None:
    token = JwsProvider(SigningKeys(folder)).seal(payload())
    primary = read_private(folder / "private" / "1").public_key()
    assert read(token.split(".")[0]) == {"alg": "ES256", "typ": "JWT", "kid": thumbprint(primary)}


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The key of RFC 7515, appendix A.3; its thumbprint by another hand."""
    x = int.from_bytes(base64.urlsafe_b64decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU="), "big")
    y = int.from_bytes(base64.urlsafe_b64decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0="), "big")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert thumbprint(key) == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"


@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS256", "ES384", "RS256", "es256", None, ["ES256"]])
def test_nothing_but_es256(folder: Path, algorithm: object) -> None:
    _, body, signature = JwsProvider(SigningKeys(folder)).seal(payload()).split(".")
    kid = thumbprint(read_private(folder / "private" / "1").public_key())
    head = words({"alg": algorithm, "typ": "JWT", "kid": kid})
    for end in (signature, ""):
        bad(folder, f"{head}.{body}.{end}")


def test_the_public_key_is_no_hmac_secret(folder: Path) -> None:
    body = JwsProvider(SigningKeys(folder)).seal(payload(user_id="f" * 32)).split(".")[1]
    public = read_private(folder / "private" / "1").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for algorithm in ("HS256", "ES256"):
        head = words({"alg": algorithm, "typ": "JWT", "kid": thumbprint(public)})
        bad(folder, f"{head}.{body}.{words(hmac.digest(pem, f'{head}.{body}'.encode(), 'sha256'))}")


def test_a_key_of_somebody_else(folder: Path, tmp_path: Path) -> None:
    signing_keys.create(tmp_path / "other")
    foreign = JwsProvider(SigningKeys(tmp_path / "other")).seal(payload())
    bad(folder, foreign)
    ours = thumbprint(read_private(folder / "private" / "1").public_key())
    stranger = read_private(tmp_path / "other" / "private" / "1")
    claims = base64.urlsafe_b64decode(foreign.split(".")[1] + "==")
    bad(folder, PyJWS().encode(claims, stranger, "ES256", {"kid": ours}))
    for kid in ("", "../private/1", "1", None, 7):
        head = words({"alg": "ES256", "typ": "JWT", "kid": kid})
        bad(folder, head + "." + foreign.split(".", 1)[1])


def test_a_key_in_the_header_is_not_looked_at(folder: Path) -> None:
    mine = ec.generate_private_key(ec.SECP256R1())
    claims = base64.urlsafe_b64decode(JwsProvider(SigningKeys(folder)).seal(payload()).split(".")[1] + "==")
    point = mine.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": words(point.x.to_bytes(32, "big")),
        "y": words(point.y.to_bytes(32, "big")),
    }
    ours = thumbprint(read_private(folder / "private" / "1").public_key())
    for kid in (ours, thumbprint(mine.public_key())):
        bad(folder, PyJWS().encode(claims, mine, "ES256", {"kid": kid, "jwk": jwk}))


def test_tampered_claims(folder: Path) -> None:
    head, body, signature = JwsProvider(SigningKeys(folder)).seal(payload()).split(".")
    for change in ({"sub": "f" * 32}, {"exp": 9e9}, {"scope": "system"}, {"epoch": 7}):
        bad(folder, f"{head}.{words(read(body) | change)}.{signature}")
    bad(folder, f"{head}.{body}")
    bad(folder, f"{head}.{body}.{signature}.{signature}")
    bad(folder, f"{head}.{body}.{signature}=")


def test_well_signed_rubbish(folder: Path) -> None:
    """Who has the key may write what we never wrote: still no exception but BadToken."""
    private = read_private(folder / "private" / "1")
    for claims in (b"", b"7", b"{}", b'{"sub":"x","exp":"never"}', bytes(range(256))):
        kid = thumbprint(private.public_key())
        bad(folder, PyJWS().encode(claims, private, "ES256", {"kid": kid}))


def test_an_ended_token(folder: Path) -> None:
    bad(folder, JwsProvider(SigningKeys(folder)).seal(payload(expires=now_ms())))


def test_only_the_staged_and_the_primary_can_sign(folder: Path) -> None:
    for _ in range(5):
        assert signing_keys.rotate(folder, 4, settled=0)
    assert numbers(folder / "private") == [0, 6]
    assert numbers(folder / "public") == [0, 4, 5, 6]


def test_a_node_with_public_keys_alone_verifies_and_does_not_sign(folder: Path, tmp_path: Path) -> None:
    token = JwsProvider(SigningKeys(folder)).seal(payload())
    elsewhere = tmp_path / "node"
    elsewhere.mkdir()
    (folder / "public").rename(elsewhere / "public")
    node = JwsProvider(SigningKeys(elsewhere))
    assert node.unseal(token).user_id == "0" * 32
    with pytest.raises(FileNotFoundError, match="no private key"):
        node.seal(payload())


def test_a_cloud_with_jws_tokens(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name, password in PASSWORDS.items():
        (tmp_path / "secrets" / f"{name}_password").write_text(password)
    with cloud_of(tmp_path, MANIFEST) as cloud:
        cloud.add(Hasher(QUICK))
        assert MANIFEST.seed is not None and MANIFEST.setup is not None
        MANIFEST.seed(cloud)
        cloud.config = Config(tmp_path, {"cloud": CloudSettings(), "identity": IdentitySettings(token_provider="jws")})
        MANIFEST.setup(cloud)
        cloud.add(Hasher(QUICK))
        admin = log_in(TestClient(App(cloud, [MANIFEST])), "admin", project="admin")
        assert admin.token.count(".") == 2
        assert admin.ask("GET", "/auth/tokens", headers={"x-subject-token": admin.token})["token"] == admin.body
        admin.ask("DELETE", "/auth/tokens", headers={"x-subject-token": admin.token}, status=204)
        admin.ask("GET", "/users", status=401)
