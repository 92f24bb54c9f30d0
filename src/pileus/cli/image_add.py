"""`pileus image add`: an image that others made, such as a distribution's own for clouds, becomes one of this cloud."""

import argparse
import hashlib
import os
import re
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from pileus.cli.installation import composed
from pileus.identity import internal as identity
from pileus.image import internal as images
from pileus.image.drivers.base import StoreFailed, StoreFull
from pileus.image.formats import FormatRefused, Inspector, check
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import ApiError
from pileus.setup import places

BLOCK = 1 << 20
GIB = 1 << 30
TIMEOUT = 60  # seconds without a sign of life from a server
DIGITS = {"sha256": 64, "sha512": 128}
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
HTTP = (
    urllib.request.ProxyHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
    urllib.request.UnknownHandler,
)


class Refused(Exception):
    """The image is not added; the text says why."""


class Look(NamedTuple):
    disk_format: str
    virtual_size: int  # bytes
    digests: Mapping[str, str]  # in hex


def add(options: argparse.Namespace) -> int:
    """Exit status 0 when the image is there, with the data that was given."""
    try:
        properties = read_properties(options.property)
        with opened(options.source) as file:
            seen = look(file, options.disk_format)
            for algorithm in DIGITS:
                compare(seen, algorithm, getattr(options, algorithm), options.source)
            with composed(options) as cloud:
                image_id = store(cloud, file, seen, options, properties)
    except (Refused, FormatRefused, StoreFull, StoreFailed, ApiError, OSError, HTTPException) as error:
        print(f"pileus: {options.source}: {error}", file=sys.stderr)
        return 1
    print(f"{options.name}: {image_id}, {seen.disk_format}, a disk of {seen.virtual_size / GIB:.1f} GiB")
    return 0


def read_properties(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not name or not equals for name, equals, _ in pairs):
        raise Refused("a property has the form NAME=VALUE")
    return {name: value for name, _, value in pairs}


@contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """The file, or what a URL leads to, in a file without a name: nothing is left of it, whatever happens."""
    if urlsplit(source).scheme not in ("http", "https"):
        with Path(source).open("rb") as file:
            yield file
        return
    cache = places.find().cache
    cache.mkdir(parents=True, exist_ok=True)
    opener = urllib.request.OpenerDirector()
    for handler in HTTP:
        opener.add_handler(handler())
    with tempfile.TemporaryFile(dir=cache) as copy:
        with opener.open(source, timeout=TIMEOUT) as reply:
            expected = reply.headers.get("content-length")
            while block := reply.read(BLOCK):
                copy.write(block)
        if expected is not None and copy.tell() != int(expected):
            raise Refused(f"the server ended after {copy.tell()} of {expected} bytes")
        copy.seek(0)
        yield copy


def look(file: BinaryIO, declared: str | None) -> Look:
    """What the bytes are. Raises Refused where they do not say it, FormatRefused where they are dangerous or not as declared."""
    inspector = Inspector()
    digests = {algorithm: hashlib.new(algorithm) for algorithm in DIGITS}
    head = file.read(BLOCK)
    block = head
    while block:
        inspector.feed(block)
        for digest in digests.values():
            digest.update(block)
        block = file.read(BLOCK)
    verdict = inspector.finish()
    disk_format = declared or ("raw" if verdict.format == "gpt" else verdict.format)
    if not declared and not verdict.formats:
        packed = next((name for mark, name in PACKED.items() if head.startswith(mark)), None)
        if packed:
            raise Refused(f"it is packed with {packed}: unpack it first")
        if head[510:512] != b"\x55\xaa":
            raise Refused("its bytes are of no known format; if it is a disk's own bytes, say --disk-format raw")
    check(verdict, disk_format)
    size = verdict.virtual_size if verdict.virtual_size is not None else file.tell()
    return Look(disk_format, size, {name: digest.hexdigest() for name, digest in digests.items()})


def compare(seen: Look, algorithm: str, given: str | None, source: str) -> None:
    """`given` is a hash in hex, or a file of such, as distributions publish beside their images. Raises Refused."""
    if given is None:
        return
    expected = given.lower()
    if not re.fullmatch(f"[0-9a-f]{{{DIGITS[algorithm]}}}", expected):
        expected = listed(Path(given).read_text(errors="replace"), Path(urlsplit(source).path).name, DIGITS[algorithm])
    if seen.digests[algorithm] != expected:
        raise Refused(f"its {algorithm} is {seen.digests[algorithm]}, not {expected}")


def listed(text: str, name: str, digits: int) -> str:
    """The hash of the file `name` in lines `HASH  NAME`, `HASH *NAME` or `SHA256 (NAME) = HASH`."""
    for line in text.splitlines():
        words = re.split(r"[\s*()=]+", line)
        found = [word for word in words if re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", word)]
        if name in words and found:
            return found[0].lower()
    raise Refused(f"the list of hashes has none for {name}")


def store(cloud: Cloud, file: BinaryIO, seen: Look, options: argparse.Namespace, properties: Mapping[str, str]) -> str:
    with cloud.db.reading() as db:
        owner = identity.project_id(db, "admin")
    with flowing(file) as path:
        image_id = images.import_file(
            cloud,
            path,
            name=options.name,
            disk_format=seen.disk_format,
            owner=owner,
            visibility=options.visibility,
            properties=properties,
            min_disk=-(-seen.virtual_size // GIB),
        )
    with cloud.db.reading() as db:
        facts = images.facts(db, [image_id])[image_id]
    if facts.hash_value != seen.digests.get(facts.hash_algorithm, facts.hash_value):
        raise Refused(f"the image {image_id} has the name {options.name} already, and other data")
    return image_id


@contextmanager
def flowing(file: BinaryIO) -> Iterator[Path]:
    """A path to read the open `file` by, once, for a process that may not open it by its own name any more."""
    reader, writer = os.pipe()

    def pour() -> None:
        file.seek(0)
        with suppress(BrokenPipeError), open(writer, "wb") as pipe:
            while block := file.read(BLOCK):
                pipe.write(block)

    thread = threading.Thread(target=pour)
    try:
        thread.start()
        yield Path(f"/proc/self/fd/{reader}")
    finally:
        os.close(reader)
        thread.join()
