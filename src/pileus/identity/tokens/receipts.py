"""Receipts: what somebody gets who proved one factor of several, to come back with the next.

Sealed with keys of their own, made from the token keys: no receipt can ever be read as a token, nor a token as a receipt.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import keys, standing
from pileus.identity.tokens.keys import Watched
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.payload import chain, now_ms
from pileus.identity.tokens.providers.base import LONGEST
from pileus.identity.users.models import User
from pileus.kernel.clock import iso_micro
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Reply

HEADER = "openstack-auth-receipt"
PURPOSE = b"pileus auth receipt"


class Receipt(msgspec.Struct, array_like=True, frozen=True):
    """Times are epoch milliseconds. `ends`: what comes of it is over by then. `epoch` is the user's at the issue."""

    user_id: str
    methods: tuple[str, ...]
    issued: int
    expires: int
    epoch: int
    ends: int | None = None


_decoder = msgspec.msgpack.Decoder(Receipt)


class ReceiptProvider:
    def __init__(self, folder: Path) -> None:
        """`folder`: that of the token keys."""
        self._folder = folder
        self._keys = Watched(self._load, folder)

    def seal(self, receipt: Receipt) -> str:
        return self._keys.now().encrypt(msgspec.msgpack.encode(receipt)).decode()

    def unseal(self, text: str) -> Receipt | None:
        """None for anything that is not a receipt of this cloud, and for one whose time is over."""
        if len(text) > LONGEST or not text.isascii():
            return None
        try:
            receipt = _decoder.decode(self._keys.now().decrypt(text.encode()))
        except (InvalidToken, msgspec.DecodeError):
            return None
        return receipt if receipt.expires > now_ms() else None

    def _load(self) -> MultiFernet:
        newest_first = sorted(keys.numbers(self._folder), reverse=True)
        return MultiFernet([Fernet(_derived((self._folder / str(n)).read_bytes())) for n in newest_first])


def _derived(key: bytes) -> bytes:
    secret = base64.urlsafe_b64decode(key)
    return base64.urlsafe_b64encode(hmac.new(secret, PURPOSE, hashlib.sha256).digest())


def continued(call: Call, login: Login) -> Login:
    """The login with the methods that the request's receipt, if it has one, says were proven before. Raises NotFound."""
    text = call.request.headers.get(HEADER)
    if text is None:
        return login
    receipt = call.cloud.part(ReceiptProvider).unseal(text)
    user = call.db.get(User, login.user_id)
    if receipt is None or user is None or (receipt.user_id, receipt.epoch) != (user.id, user.token_epoch):
        raise NotFound("The receipt in Openstack-Auth-Receipt could not be found.")
    ends = [login.ends] if login.ends else []
    ends += [datetime.fromtimestamp(receipt.ends / 1000, UTC).replace(tzinfo=None)] if receipt.ends else []
    methods = chain(receipt.methods, login.methods)
    return msgspec.structs.replace(login, methods=methods, ends=min(ends, default=None))


def give(call: Call, login: Login, user: User, required: list[frozenset[str]]) -> Reply:
    """The 401 that says what is missing. Raises Refused for logins that are worth less than the user: a receipt does not say that."""
    if login.delegation is not None or login.federation is not None or login.thumbprint is not None:
        raise refused("other methods are required", reason="methods_missing", user_id=user.id)
    home = standing.look_up(call.db, user.id, "unscoped", "")
    if home is None:
        raise refused("the user's domain is disabled", reason="domain_disabled", user_id=user.id)
    issued = now_ms()
    expires = issued + call.cloud.settings(IdentitySettings).receipt_lifetime * 1000
    ends = [login.parent.expires] if login.parent else []
    ends += [int(login.ends.replace(tzinfo=UTC).timestamp() * 1000)] if login.ends else []
    receipt = Receipt(user.id, login.methods, issued, expires, user.token_epoch, min(ends, default=None))
    shown = {
        "methods": list(receipt.methods),
        "user": {"id": user.id, "name": user.name, "domain": home.user_domain._asdict()},
        "issued_at": _time(issued),
        "expires_at": _time(expires),
    }
    body = {"receipt": shown, "required_auth_methods": [sorted(rule) for rule in required]}
    sealed = call.cloud.part(ReceiptProvider).seal(receipt)
    return Reply(body, status=401, headers={HEADER: sealed, "vary": "X-Auth-Token"})


def _time(epoch_ms: int) -> str | None:
    return iso_micro(datetime.fromtimestamp(epoch_ms / 1000, UTC))
