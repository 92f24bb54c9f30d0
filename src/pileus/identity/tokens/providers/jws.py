"""JWS tokens (RFC 7515): readable by everybody, signed with ES256, so that nodes which only verify need no secret.

PyJWT signs and verifies: typed, kept, and it needs nothing but `cryptography`, which is here anyway.
"""

import base64

import msgspec
from jwt import PyJWS
from jwt.exceptions import PyJWTError

from pileus.identity.tokens.payload import BadToken, Delegation, Federation, Payload, ScopeKind, now_ms
from pileus.identity.tokens.providers.base import LONGEST
from pileus.identity.tokens.providers.signing_keys import SigningKeys

ALGORITHM = "ES256"
_jws = PyJWS(algorithms=[ALGORITHM])


class _Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """Registered names (RFC 7519) where there are such. Times there are seconds, with the milliseconds as a fraction."""

    sub: str
    iat: float
    exp: float
    scope: ScopeKind
    scope_id: str
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    epoch: int
    delegation: Delegation | None = None
    federation: Federation | None = None
    cnf: dict[str, str] | None = None


_decoder = msgspec.json.Decoder(_Claims)


class JwsProvider:
    def __init__(self, keys: SigningKeys) -> None:
        self.keys = keys

    def seal(self, payload: Payload) -> str:
        """Raises FileNotFoundError on a node that has no private key."""
        keys = self.keys.now()
        if keys.private is None:
            raise FileNotFoundError(f"no private key to sign tokens with in {self.keys.folder}")
        claims = _Claims(
            sub=payload.user_id,
            iat=payload.issued / 1000,
            exp=payload.expires / 1000,
            scope=payload.scope,
            scope_id=payload.scope_id,
            methods=payload.methods,
            audit_ids=payload.audit_ids,
            epoch=payload.epoch,
            delegation=payload.delegation,
            federation=payload.federation,
            cnf={"x5t#S256": payload.thumbprint} if payload.thumbprint else None,
        )
        return _jws.encode(msgspec.json.encode(claims), keys.private, ALGORITHM, _header(keys.kid))

    def unseal(self, token: str, late: int = 0) -> Payload:
        """The key is chosen by the header, and nothing else is believed of it: the algorithm is ours."""
        if len(token) > LONGEST or not token.isascii():
            raise BadToken
        key = self.keys.now().public.get(_kid(token))
        if key is None:
            raise BadToken
        try:
            claims = _decoder.decode(_jws.decode(token, key, [ALGORITHM]))
        except (PyJWTError, msgspec.DecodeError):
            raise BadToken from None
        if claims.exp * 1000 + late <= now_ms():
            raise BadToken
        return Payload(
            claims.sub,
            claims.scope,
            claims.scope_id,
            claims.methods,
            claims.audit_ids,
            round(claims.iat * 1000),
            round(claims.exp * 1000),
            claims.epoch,
            claims.delegation,
            claims.federation,
            claims.cnf.get("x5t#S256") if claims.cnf else None,
        )


class _Header(msgspec.Struct):
    alg: str
    typ: str
    kid: str


def _header(kid: str) -> dict[str, str]:
    return {"alg": ALGORITHM, "typ": "JWT", "kid": kid}


def _kid(token: str) -> str:
    """The name of the key in a header of ours; empty for any other."""
    head = token.partition(".")[0]
    try:
        header = msgspec.json.decode(
            base64.b64decode(head + "=" * (-len(head) % 4), b"-_", validate=True), type=_Header
        )
    except (ValueError, msgspec.DecodeError):
        return ""
    return header.kid if (header.alg, header.typ) == (ALGORITHM, "JWT") else ""
