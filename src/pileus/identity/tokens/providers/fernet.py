"""Fernet tokens: msgpack, encrypted and signed with the key ring's keys. About 250 characters."""

import base64

import msgspec
from cryptography.fernet import InvalidToken

from pileus.identity.tokens.keys import KeyRing
from pileus.identity.tokens.payload import (
    DELEGATIONS,
    METHODS,
    SCOPES,
    BadToken,
    Delegation,
    Federation,
    Payload,
    now_ms,
)
from pileus.identity.tokens.providers.base import LONGEST


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    user: bytes
    scope: int
    scope_id: bytes
    methods: int
    audits: tuple[bytes, ...]
    issued: int
    expires: int
    epoch: int
    delegation: tuple[int, bytes] | None = None
    federation: tuple[str, str, tuple[bytes, ...]] | None = None
    thumbprint: str | None = None


_decoder = msgspec.msgpack.Decoder(_Wire)


class FernetProvider:
    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys

    def seal(self, payload: Payload) -> str:
        given, came = payload.delegation, payload.federation
        wire = _Wire(
            _pack(payload.user_id),
            SCOPES.index(payload.scope),
            _pack(payload.scope_id),
            sum(1 << METHODS.index(method) for method in payload.methods),
            tuple(base64.urlsafe_b64decode(audit + "==") for audit in payload.audit_ids),
            payload.issued,
            payload.expires,
            payload.epoch,
            (DELEGATIONS.index(given.kind), _pack(given.id)) if given else None,
            (came.identity_provider_id, came.protocol_id, tuple(map(_pack, came.group_ids))) if came else None,
            payload.thumbprint,
        )
        return self.keys.fernet().encrypt(msgspec.msgpack.encode(wire)).rstrip(b"=").decode()

    def unseal(self, token: str, late: int = 0) -> Payload:
        if len(token) > LONGEST or not token.isascii():
            raise BadToken
        try:
            wire = _decoder.decode(self.keys.fernet().decrypt(token.encode() + b"=" * (-len(token) % 4)))
        except (InvalidToken, msgspec.DecodeError):
            raise BadToken from None
        if wire.expires + late <= now_ms():
            raise BadToken
        given, came = wire.delegation, wire.federation
        return Payload(
            _unpack(wire.user),
            SCOPES[wire.scope],
            _unpack(wire.scope_id),
            tuple(method for i, method in enumerate(METHODS) if wire.methods >> i & 1),
            tuple(_audit_text(audit) for audit in wire.audits),
            wire.issued,
            wire.expires,
            wire.epoch,
            Delegation(DELEGATIONS[given[0]], _unpack(given[1])) if given else None,
            Federation(came[0], came[1], tuple(map(_unpack, came[2]))) if came else None,
            wire.thumbprint,
        )


def _audit_text(audit: bytes) -> str:
    return base64.urlsafe_b64encode(audit).rstrip(b"=").decode()


def _pack(identifier: str) -> bytes:
    """Hex ids in half the room: a mark of the form, then the id."""
    try:
        packed = bytes.fromhex(identifier)
    except ValueError:
        packed = b""
    return b"h" + packed if packed and packed.hex() == identifier else b"t" + identifier.encode()


def _unpack(packed: bytes) -> str:
    return packed[1:].hex() if packed[:1] == b"h" else packed[1:].decode()
