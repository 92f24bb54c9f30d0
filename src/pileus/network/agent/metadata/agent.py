"""The metadata agent: takes what the proxy passes on, names and signs the server that asks, and asks the metadata API."""

import asyncio
import hmac
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from pileus.network.agent.metadata import http
from pileus.network.agent.metadata.directory import NETWORK, ROUTER, Asker, Key
from pileus.network.agent.snapshot import HostNetwork

CONNECT_SECONDS = 2.0


class MetadataAgent:
    """Serves connections on its loop. `askers` is replaced whole by the applier, from any thread."""

    def __init__(self, settings: HostNetwork, proxy_pid: Callable[[], int]) -> None:
        url = urlsplit(settings.metadata_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError(f"metadata_url {settings.metadata_url!r} is not an http or https URL")
        self._host, self._tls = url.hostname, url.scheme == "https"
        self._port = url.port or (443 if self._tls else 80)
        self._prefix = url.path.rstrip("/")
        self._secret = settings.metadata_secret.encode()
        self._proxy_pid = proxy_pid
        self.askers: dict[Key, Asker] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _peer_pid(writer) == self._proxy_pid():
                await self._answer(await http.read_request(reader), writer)
        except http.RefusedError as refused:
            writer.write(http.refusal(refused.status))
        except (OSError, TimeoutError):
            writer.transport.abort()
        finally:
            await http.close(writer)

    async def _answer(self, request: http.Request, writer: asyncio.StreamWriter) -> None:
        said = self._identify(request)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                answer, api = await asyncio.open_connection(self._host, self._port, ssl=self._tls or None)
        except (OSError, TimeoutError):
            raise http.RefusedError(HTTPStatus.SERVICE_UNAVAILABLE) from None
        try:
            api.write(http.onward(request, said, self._prefix))
            await http.relay(answer, writer)
        finally:
            await http.close(api)

    def _identify(self, request: http.Request) -> dict[str, str]:
        """The headers that name and sign the server. Raises RefusedError (404) when no server has the address there."""
        address = request.headers.get("x-forwarded-for", "")
        for way in (ROUTER, NETWORK):
            asker = self.askers.get((way, request.headers.get(way.lower(), ""), address))
            if asker is not None:
                return {
                    "X-Forwarded-For": address,
                    "X-Instance-ID": asker.server_id,
                    "X-Tenant-ID": asker.project_id,
                    "X-Instance-ID-Signature": signature(self._secret, asker.server_id),
                }
        raise http.RefusedError(HTTPStatus.NOT_FOUND)


def signature(secret: bytes, server_id: str) -> str:
    """HMAC-SHA256 in hex, as the metadata API checks it."""
    return hmac.digest(secret, server_id.encode(), "sha256").hex()


def _peer_pid(writer: asyncio.StreamWriter) -> int:
    """The process at the other end of a unix socket, as the kernel tells. Source: unix(7), SO_PEERCRED."""
    end = writer.get_extra_info("socket")
    pid: int = struct.unpack("=iII", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    return pid
