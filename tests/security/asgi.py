"""The application called directly: any bytes as path, query and headers, which no HTTP client would send."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from pileus.kernel.http.app import App

Headers = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Asgi:
    """One loop for all requests of a test; a request that takes longer than `seconds` fails it."""

    def __init__(self, app: App, seconds: float = 10) -> None:
        self.app = app
        self.seconds = seconds
        self.runner = asyncio.Runner()

    def close(self) -> None:
        self.runner.close()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        """`body`: bytes as they are, anything else as JSON; `path` may hold a query."""
        given = {"content-type": "application/json"} if body is not None else {}
        given |= {"x-auth-token": token} if token is not None else {}
        given |= {name.lower(): value for name, value in (headers or {}).items()}
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        path, _, more = path.partition("?")
        return self.raw(method, path, (more or query).encode(), given.items(), data)

    def raw(self, method: str, path: str, query: bytes, headers: Headers, data: bytes = b"") -> Answer:
        return self.runner.run(self._ask(method, path, query, headers, data))

    async def _ask(self, method: str, path: str, query: bytes, headers: Headers, data: bytes) -> Answer:
        sent: list[Any] = []
        asked = False
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogateescape"),
            "query_string": query,
            "root_path": "",
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8780),
        }

        async def receive() -> Any:
            nonlocal asked
            if asked:
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        async with asyncio.timeout(self.seconds):
            await self.app(scope, receive, send)
        start = sent[0]
        out = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], out, b"".join(m.get("body", b"") for m in sent[1:]))
