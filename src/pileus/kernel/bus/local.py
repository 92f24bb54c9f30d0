"""The bus of one machine: two Unix sockets a topic in the state folder, one for casts (datagrams) and one for calls (streams).

Who may connect is decided by the folder's owner and mode; there is nothing else to log in to.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pileus.kernel.bus.base import BusError, Handler

log = logging.getLogger(__name__)
LIMIT = 256 * 1024 * 1024  # bytes: a whole wanted set of a large host
LARGEST_CAST = 256 * 1024  # bytes: more than the kernel lets anybody send as one datagram
BACKLOG = 4096  # calls that wait to be taken up: a full queue refuses
NOT_UNDERSTOOD = (ValueError, RecursionError)  # what decoding raises: bad form, bad text, nesting without end
QUESTION = msgspec.msgpack.Decoder(tuple[str, dict[str, Any]])


class LocalBus:
    def __init__(self, folder: Path, *, for_others: bool = False) -> None:
        """`for_others`: another user may connect to what this process serves; the folder's mode still decides who gets there."""
        self._folder = folder
        self._umask = 0o000 if for_others else 0o077
        self._out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._out.setblocking(False)
        self._servers: list[asyncio.Server] = []
        self._readers: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def _path(self, topic: str, kind: str) -> str:
        return str(self._folder / f"{topic}.{kind}")

    def cast(self, topic: str, method: str, args: Mapping[str, Any]) -> None:
        try:
            self._out.sendto(msgspec.msgpack.encode([method, args]), self._path(topic, "cast"))
        except OSError as error:  # nobody there, its queue is full, too large: it is only a hint
            log.debug("cast %s to %s: %s", method, topic, error)

    async def call(self, topic: str, method: str, args: Mapping[str, Any], *, timeout: float = 30) -> Any:
        question = msgspec.msgpack.encode([method, args])
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_unix_connection(self._path(topic, "call"), limit=LIMIT)
                try:
                    _write(writer, question)
                    ok, value = msgspec.msgpack.decode(await _read(reader))
                finally:
                    writer.close()
        except TimeoutError:
            raise BusError(f"{topic} did not answer {method} within {timeout:g} s") from None
        except asyncio.IncompleteReadError:
            raise BusError(f"{topic} ended while it was asked {method}") from None
        except (OSError, *NOT_UNDERSTOOD) as error:
            raise BusError(f"{topic} is not reachable: {error}") from None
        if not ok:
            raise BusError(str(value))
        return value

    async def serve(self, topic: str, handler: Handler) -> None:
        loop = asyncio.get_running_loop()
        for kind in ("cast", "call"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(topic, kind))
        inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with self._masked():
            inbox.bind(self._path(topic, "cast"))
        inbox.setblocking(False)
        self._readers.append(inbox)

        def hear() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = inbox.recv(LARGEST_CAST)
                    try:
                        method, args = QUESTION.decode(data)
                    except NOT_UNDERSTOOD as error:
                        log.warning("cast to %s is not understood: %s", topic, error)
                    else:
                        self._spawn(_run_cast(handler, method, args))

        loop.add_reader(inbox, hear)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                method, args = QUESTION.decode(await _read(reader))
                _write(writer, await _answer(handler, method, args))
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass  # the asker went away; it will ask again
            except NOT_UNDERSTOOD as error:
                log.warning("call of %s is not understood: %s", topic, error)
            finally:
                writer.close()

        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with self._masked():
            door.bind(self._path(topic, "call"))
        self._servers.append(await asyncio.start_unix_server(answer, sock=door, limit=LIMIT, backlog=BACKLOG))

    @contextlib.contextmanager
    def _masked(self) -> Iterator[None]:
        """Sockets get their mode as they are made: the folder is another user's, so nothing is changed by name afterwards."""
        old = os.umask(self._umask)
        try:
            yield
        finally:
            os.umask(old)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for inbox in self._readers:
            asyncio.get_running_loop().remove_reader(inbox)
            inbox.close()
        self._out.close()


async def _answer(handler: Handler, method: str, args: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.msgpack.encode([True, await handler(method, args)])
    except Exception as error:
        log.exception("bus call %s failed", method)
        return msgspec.msgpack.encode([False, f"{type(error).__name__}: {error}"])


async def _run_cast(handler: Handler, method: str, args: Mapping[str, Any]) -> None:
    try:
        await handler(method, args)
    except Exception:
        log.exception("bus cast %s failed", method)


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(len(data).to_bytes(4, "big") + data)


async def _read(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > LIMIT:
        raise ValueError(f"a message of {size} bytes; at most {LIMIT}")
    return await reader.readexactly(size)
