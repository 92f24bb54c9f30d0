"""One bucket: the few operations that a store of images needs, typed, with bounded retries (botocore's)."""

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any, Protocol

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from pileus.image.drivers.base import StoreFailed
from pileus.image.s3.refusals import NO_BUCKET, NO_UPLOAD, OURS_ALREADY, code, refusals
from pileus.image.s3.settings import S3Settings

ATTEMPTS = 3  # of each request; the pauses between them are of at most 1 and 2 seconds
CONNECT_TIMEOUT = 5
CONNECTIONS = 64  # kept for the next request; more may be open at a time
NO_FILES = {  # of AWS's own tools: they are about other things than this cloud
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_making = Lock()


class Body(Protocol):
    """An answer that is still coming. Read it within `refusals`."""

    def read(self, amt: int) -> bytes: ...
    def close(self) -> None: ...


class Bucket:
    """Safe to use from several threads; asks nothing before the first operation.

    All methods raise StoreFailed, those that write also StoreFull.
    """

    def __init__(self, store: str, settings: S3Settings, secret: str) -> None:
        self.store = store
        self.settings = settings
        self.name = settings.bucket
        self._secret = secret
        self._lock = Lock()
        self._made: Any = None

    def put(self, name: str, data: bytes | bytearray) -> None:
        """The whole object: it is there with the answer, and not before."""
        with refusals(self.store, "take data"):
            self._client.put_object(Bucket=self.name, Key=name, Body=data, ContentMD5=_md5(data))

    def begin(self, name: str) -> str:
        """The id of a new upload in parts."""
        with refusals(self.store, "begin an upload"):
            return str(self._client.create_multipart_upload(Bucket=self.name, Key=name)["UploadId"])

    def put_part(self, name: str, upload: str, number: int, data: bytes | bytearray) -> str:
        """The part's tag. `number` is 1 or more."""
        with refusals(self.store, "take data"):
            answer = self._client.upload_part(
                Bucket=self.name, Key=name, UploadId=upload, PartNumber=number, Body=data, ContentMD5=_md5(data)
            )
        return str(answer["ETag"])

    def complete(self, name: str, upload: str, tags: list[str], size: int) -> None:
        """Make the object of its parts, in one step."""
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        with refusals(self.store, "complete an upload"):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self.name, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}
                )
            except ClientError as error:
                if code(error) != NO_UPLOAD:
                    raise
                # Completed by an earlier attempt, whose answer was lost? Then the object is there.
        try:
            found = self.size(name)
        except FileNotFoundError:
            raise StoreFailed(f"Store {self.store} lost an upload") from None
        if found != size:
            raise StoreFailed(f"Store {self.store} has {found} bytes of {size}")

    def size(self, name: str) -> int:
        """Raises FileNotFoundError."""
        try:
            with refusals(self.store, "look for data", may_lack=True):
                return int(self._client.head_object(Bucket=self.name, Key=name)["ContentLength"])
        except FileNotFoundError:
            self._check()  # such an answer has no body: it does not say what is missing
            raise

    def read(self, name: str, first: int, last: int | None = None) -> Body:
        """Bytes `first` to `last` (inclusive), or to the end."""
        span = f"bytes={first}-{'' if last is None else last}"
        try:
            with refusals(self.store, "give data", may_lack=True):
                body: Body = self._client.get_object(Bucket=self.name, Key=name, Range=span)["Body"]
                return body
        except FileNotFoundError as error:
            raise StoreFailed(f"{error} any more") from error

    def remove(self, name: str) -> None:
        """The object and what was ever begun under its name. It may be that there is nothing."""
        with suppress(FileNotFoundError), refusals(self.store, "remove data", may_lack=True):
            self._client.delete_object(Bucket=self.name, Key=name)
        for found, upload in self.uploads(name):
            if found == name:
                self._give_up(name, upload)

    def objects(self, prefix: str) -> Iterator[str]:
        for page in self._pages("list_objects_v2", prefix):
            yield from (str(found["Key"]) for found in page.get("Contents", ()))

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Name and id of uploads in parts that have not ended."""
        for page in self._pages("list_multipart_uploads", prefix):
            yield from ((str(found["Key"]), str(found["UploadId"])) for found in page.get("Uploads", ()))

    def _give_up(self, name: str, upload: str) -> None:
        with refusals(self.store, "remove data"):
            try:
                self._client.abort_multipart_upload(Bucket=self.name, Key=name, UploadId=upload)
            except ClientError as error:
                if code(error) != NO_UPLOAD:
                    raise

    def _pages(self, operation: str, prefix: str) -> Iterator[dict[str, Any]]:
        with refusals(self.store, "list data"):
            pages = iter(self._client.get_paginator(operation).paginate(Bucket=self.name, Prefix=prefix))
        while True:
            with refusals(self.store, "list data"):
                page: dict[str, Any] | None = next(pages, None)
            if page is None:
                return
            yield page

    @property
    def _client(self) -> Any:
        """Made once, and the bucket with it. Raises ClientError and its like."""
        with self._lock:
            if self._made is None:
                client = _client(self.settings, self._secret)
                if self.settings.create_bucket:
                    _ensure(client, self.settings)
                self._made = client
            return self._made

    def _check(self) -> None:
        with refusals(self.store, "look for its bucket"):
            if not _exists(self._client, self.name):
                raise StoreFailed(f"Store {self.store} cannot be used: its bucket does not exist")


def _client(settings: S3Settings, secret: str) -> Any:
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": settings.addressing},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=settings.timeout,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        proxies={},
        # Content-MD5 is what every server checks; newer checksums are refused by many.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _making:
        return _session().create_client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint.rstrip("/"),
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=secret,
            verify=(settings.ca_file or True) if settings.verify_tls else False,
            config=config,
        )


@cache
def _session() -> Any:
    """Reads the description of S3 once, for all stores. To be used by one thread at a time, unlike the clients that it makes."""
    return botocore.session.Session(session_vars=NO_FILES)


def _ensure(client: Any, settings: S3Settings) -> None:
    if _exists(client, settings.bucket):
        return
    place = {} if settings.region == "us-east-1" else {"LocationConstraint": settings.region}
    try:
        client.create_bucket(Bucket=settings.bucket, **({"CreateBucketConfiguration": place} if place else {}))
    except ClientError as error:
        if code(error) not in OURS_ALREADY:  # another process was faster
            raise


def _exists(client: Any, bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code(error) not in (NO_BUCKET, "404", "NotFound"):
            raise
        return False
    return True


def _md5(data: bytes | bytearray) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
