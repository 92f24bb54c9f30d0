"""What a server's refusals and silences mean. Servers' own words go nowhere: they may name keys, hosts and paths."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from pileus.image.drivers.base import StoreFailed, StoreFull

NO_KEY = frozenset({"NoSuchKey", "NotFound", "404"})
NO_BUCKET = "NoSuchBucket"
NO_UPLOAD = "NoSuchUpload"
OURS_ALREADY = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"})
_FULL = re.compile(r"Quota|StorageFull|InsufficientStorage|EntityTooLarge|507")
_REFUSED = re.compile(r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Forbidden|Token|Authorization|40[13]")
log = logging.getLogger(__name__)


@contextmanager
def refusals(store: str, doing: str, *, may_lack: bool = False) -> Iterator[None]:
    """Around one request. Raises StoreFull, StoreFailed; with `may_lack` also FileNotFoundError."""
    try:
        yield
    except ClientError as error:
        if may_lack and code(error) in NO_KEY:
            raise FileNotFoundError(f"Store {store} has no such data") from error
        raise _refusal(store, doing, error) from error
    except SSLError as error:
        raise _silence(store, doing, error, "its certificate is not good") from error
    except (NoConnection, HTTPClientError, HTTPError, OSError) as error:
        raise _silence(store, doing, error, "it does not answer") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise _silence(store, doing, error, "its answer is cut or garbled") from error


def code(error: ClientError) -> str:
    """What the server calls the error: a short word, or the HTTP status if it says nothing of that kind."""
    said = str(error.response.get("Error", {}).get("Code", ""))
    return said if re.fullmatch(r"[A-Za-z0-9.]{1,64}", said) else str(status(error))


def status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refusal(store: str, doing: str, error: ClientError) -> Exception:
    said = code(error)
    request = error.response.get("ResponseMetadata", {}).get("RequestId", "")
    log.warning("store %s: %s was refused: %s %s (request %.100r)", store, doing, status(error), said, request)
    if status(error) == 507 or _FULL.search(said):
        return StoreFull(f"Store {store} is full: {said}")
    if said == NO_BUCKET:
        return StoreFailed(f"Store {store} cannot be used: its bucket does not exist")
    if _REFUSED.search(said):
        return StoreFailed(f"Store {store} refuses this cloud's credentials: {said}")
    return StoreFailed(f"Store {store} could not {doing}: {said}")


def _silence(store: str, doing: str, error: Exception, reason: str) -> StoreFailed:
    log.warning("store %s: could not %s: %s %.300r", store, doing, type(error).__name__, str(error))
    return StoreFailed(f"Store {store} could not {doing}: {reason}")
