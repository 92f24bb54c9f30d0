"""The little HTTP that the metadata path speaks: one request a connection, read whole and strictly, its answer passed on as bytes.

`Connection: close` on every hop makes the end of the answer the end of the stream, so no answer needs to be parsed here.
"""

import asyncio
import re
from http import HTTPStatus

import httptools

MAX_HEAD = 16 * 1024
MAX_TARGET = 2048
MAX_BODY = 64 * 1024
RECEIVE_SECONDS = 10.0
ANSWER_SECONDS = 30.0

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT"})
_TARGET = re.compile(r"/[!-~]*")
# All that a guest may say to the metadata API. What is not here is dropped: among it every header that names a server.
_FROM_GUEST = (
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "if-modified-since",
    "if-none-match",
    "range",
    "x-aws-ec2-metadata-token",
    "x-aws-ec2-metadata-token-ttl-seconds",
)


class RefusedError(Exception):
    """The request is answered with this status and goes no further."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Request:
    """A request as it is read: the callbacks are the parser's. Header names are lower case; of several the last counts."""

    def __init__(self) -> None:
        self.method = ""
        self.target = ""
        self.version = "1.1"
        self.headers: dict[str, str] = {}
        self.body = b""
        self.head_size = 0
        self.head_complete = False
        self.complete = False

    def on_url(self, url: bytes) -> None:
        if not self.complete:
            self.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:
            self.head_size += len(name) + len(value)
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.head_complete = True

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The connection's first request; whatever follows it is never looked at.

    Raises RefusedError (400, 405, 408, 413, 414, 431), or ConnectionError when the peer goes away first.
    """
    request = Request()
    parser = httptools.HttpRequestParser(request)
    received = 0
    try:
        async with asyncio.timeout(RECEIVE_SECONDS):
            while not request.complete:
                data = await reader.read(4096)
                if not data:
                    raise ConnectionResetError("the peer closed before its request was whole")
                received += len(data)
                parser.feed_data(data)
                _check_size(request, received)
    except TimeoutError:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT) from None
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        raise RefusedError(HTTPStatus.BAD_REQUEST) from None
    request.method = parser.get_method().decode("latin-1")
    request.version = "1.0" if parser.get_http_version() == "1.0" else "1.1"
    if request.method not in _METHODS:
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED)
    if not _TARGET.fullmatch(request.target):
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    return request


def _check_size(request: Request, received: int) -> None:
    if len(request.target) > MAX_TARGET:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG)
    if request.head_size > MAX_HEAD or (not request.head_complete and received > MAX_HEAD):
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if len(request.body) > MAX_BODY or received > MAX_HEAD + 2 * MAX_BODY:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def onward(request: Request, said: dict[str, str], prefix: str = "") -> bytes:
    """The request written anew for the next hop: what a guest may say, and then `said`, which a guest can not."""
    lines = [f"{request.method} {prefix}{request.target} HTTP/{request.version}"]
    lines += [f"{name}: {request.headers[name]}" for name in _FROM_GUEST if name in request.headers]
    lines += [f"{name}: {value}" for name, value in said.items()]
    if request.body or request.method in {"POST", "PUT"}:
        lines.append(f"content-length: {len(request.body)}")
    lines += ["connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + request.body


def refusal(status: HTTPStatus) -> bytes:
    body = f"{status.value} {status.phrase}\n"
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n{body}".encode()


async def relay(answer: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass an answer on until it ends. Raises RefusedError (503) when nothing comes at all, TimeoutError when it stalls."""
    begun = False
    while True:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                chunk = await answer.read(64 * 1024)
                if chunk:
                    writer.write(chunk)
                    await writer.drain()
        except (TimeoutError, ConnectionError):
            if begun:
                raise
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE) from None
        if not chunk:
            break
        begun = True
    if not begun:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close and wait; a peer that is gone already is no error."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
