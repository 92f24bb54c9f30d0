"""What a token says, and its short form on the wire: msgpack inside Fernet. Nothing of a token is stored."""

import base64
import os
import time
from collections.abc import Sequence
from typing import Literal

import msgspec
from cryptography.fernet import InvalidToken

from pileus.identity.tokens.keys import KeyRing

METHODS = ("password", "token", "application_credential")
ScopeKind = Literal["unscoped", "project", "domain", "system"]
LONGEST = 1024  # characters; ours have about 250


class BadToken(Exception):
    """Not a token of this cloud, or one whose time is over."""


class Payload(msgspec.Struct, array_like=True, frozen=True):
    """Times are epoch milliseconds. `epoch` is the user's count of mass revocations at issue; `audit_ids` are own and first ancestor."""

    user_id: str
    scope: ScopeKind
    scope_id: str
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    issued: int
    expires: int
    epoch: int
    application_credential_id: str | None = None


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    user: bytes
    scope: int
    scope_id: bytes
    methods: int
    audits: tuple[bytes, ...]
    issued: int
    expires: int
    epoch: int
    application_credential: bytes | None = None


_SCOPES: tuple[ScopeKind, ...] = ("unscoped", "project", "domain", "system")
_decoder = msgspec.msgpack.Decoder(_Wire)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_audit_id() -> str:
    return _audit_text(os.urandom(16))


def seal(payload: Payload, keys: KeyRing) -> str:
    wire = _Wire(
        _pack(payload.user_id),
        _SCOPES.index(payload.scope),
        _pack(payload.scope_id),
        sum(1 << METHODS.index(method) for method in payload.methods),
        tuple(base64.urlsafe_b64decode(audit + "==") for audit in payload.audit_ids),
        payload.issued,
        payload.expires,
        payload.epoch,
        _pack(payload.application_credential_id) if payload.application_credential_id else None,
    )
    return keys.fernet().encrypt(msgspec.msgpack.encode(wire)).rstrip(b"=").decode()


def unseal(token: str, keys: KeyRing) -> Payload:
    """Raises BadToken."""
    if len(token) > LONGEST or not token.isascii():
        raise BadToken
    try:
        wire = _decoder.decode(keys.fernet().decrypt(token.encode() + b"=" * (-len(token) % 4)))
    except (InvalidToken, msgspec.DecodeError):
        raise BadToken from None
    if wire.expires <= now_ms():
        raise BadToken
    return Payload(
        _unpack(wire.user),
        _SCOPES[wire.scope],
        _unpack(wire.scope_id),
        tuple(method for i, method in enumerate(METHODS) if wire.methods >> i & 1),
        tuple(_audit_text(audit) for audit in wire.audits),
        wire.issued,
        wire.expires,
        wire.epoch,
        _unpack(wire.application_credential) if wire.application_credential else None,
    )


def chain(methods: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """The methods of a token and of the one it came from, each once, in METHODS' order."""
    return tuple(method for method in METHODS if method in methods or method in more)


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
