"""What oauthlib asks about consumers, tokens and nonces while it checks a signature.

It goes on with a decoy after a consumer or token that is not there, so that all refusals take the same time.
"""

import hmac
import re

from oauthlib.common import Request
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, RequestValidator
from sqlalchemy.orm import Session

from pileus.identity.oauth1 import nonces
from pileus.identity.oauth1.derivation import Deriver
from pileus.identity.oauth1.models import AccessToken, Consumer, RequestToken
from pileus.kernel import clock

_WORD = re.compile(r"[A-Za-z0-9._~+/=-]{1,128}")
_DECOY = "nobody"


class Validator(RequestValidator):
    """One for each check. What it found is only to be used once the check has said that all is well."""

    allowed_signature_methods: tuple[str, ...] = (SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256)
    timestamp_lifetime: int = nonces.WINDOW
    enforce_ssl: bool = False
    dummy_client: str = _DECOY
    dummy_request_token: str = _DECOY
    dummy_access_token: str = _DECOY

    def __init__(self, db: Session, secrets: Deriver) -> None:
        super().__init__()
        self.db = db
        self.secrets = secrets
        self.consumer: Consumer | None = None
        self.request_token: RequestToken | None = None
        self.access_token: AccessToken | None = None
        self.mark = ""
        self.timestamp = ""

    def check_client_key(self, client_key: str) -> bool:
        return _is_word(client_key)

    def check_request_token(self, request_token: str) -> bool:
        return _is_word(request_token)

    def check_access_token(self, request_token: str) -> bool:
        return _is_word(request_token)

    def check_nonce(self, nonce: str) -> bool:
        return _is_word(nonce)

    def check_verifier(self, verifier: str) -> bool:
        return _is_word(verifier)

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Request,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        self.mark, self.timestamp = nonces.mark(client_key, request_token or access_token, timestamp, nonce), timestamp
        return not nonces.seen(self.db, self.mark)

    def validate_client_key(self, client_key: str, request: Request) -> bool:
        self.consumer = self.db.get(Consumer, client_key)
        return self.consumer is not None

    def validate_request_token(self, client_key: str, token: str, request: Request) -> bool:
        row = self.request_token = self.db.get(RequestToken, token)
        if row is None or row.authorizing_user_id is None:
            return False
        return row.consumer_id == client_key and row.expires_at > clock.now()

    def validate_access_token(self, client_key: str, token: str, request: Request) -> bool:
        row = self.access_token = self.db.get(AccessToken, token)
        return row is not None and row.consumer_id == client_key and not is_over(row)

    def validate_verifier(self, client_key: str, token: str, verifier: str, request: Request) -> bool:
        return hmac.compare_digest(self.secrets.secret("verifier", token), verifier)

    def get_client_secret(self, client_key: str, request: Request) -> str:
        return self.secrets.secret("consumer", client_key)

    def get_request_token_secret(self, client_key: str, token: str, request: Request) -> str:
        return self.secrets.secret("request", token)

    def get_access_token_secret(self, client_key: str, token: str, request: Request) -> str:
        return self.secrets.secret("access", token)

    # Realms and callbacks are not used: the consumer gets its verifier from the user.

    def check_realms(self, realms: list[str]) -> bool:
        return True

    def get_default_realms(self, client_key: str, request: Request) -> list[str]:
        return []

    def get_realms(self, token: str, request: Request) -> list[str]:
        return []

    def validate_requested_realms(self, client_key: str, realms: list[str], request: Request) -> bool:
        return True

    def validate_realms(
        self, client_key: str, token: str, request: Request, uri: str | None = None, realms: list[str] | None = None
    ) -> bool:
        return True

    def validate_redirect_uri(self, client_key: str, redirect_uri: object, request: Request) -> bool:
        return True

    # `provider` writes the rows.

    def save_request_token(self, token: object, request: Request) -> None:
        pass

    def save_access_token(self, token: object, request: Request) -> None:
        pass

    def invalidate_request_token(self, client_key: str, request_token: str, request: Request) -> None:
        pass


def is_over(token: AccessToken) -> bool:
    return token.expires_at is not None and token.expires_at <= clock.now()


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None
