"""The process that guests talk to: unprivileged, without a network of its own, one for all namespaces of the host.

The agent makes the listening sockets inside the namespaces and hands them over; a request goes on to the agent's unix socket
with the address it really came from. So the parser that reads what guests send can neither open a socket nor see a secret.

Control messages (JSON, one a packet): `{"listen": name, "header": "X-Router-ID", "id": …}` with the socket, `{"close": name}`.
"""

import asyncio
import json
import os
import resource
import socket
from collections import Counter
from http import HTTPStatus

from pileus.network.agent.metadata import http

AGENT_SOCKET = "agent.sock"  # in the working folder: the path to it may be closed to this process
MAX_CONNECTIONS = 64  # a namespace
MAX_FROM_ONE = 16  # an address in it: one server does not shut out its neighbours
NOBODY = 65534


class Listener:
    """The listening socket of one namespace, and what its requests are marked with."""

    def __init__(self, header: str, id: str) -> None:
        self._mark = (header, id)
        self._connections: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._closed = False

    async def listen(self, sock: socket.socket) -> None:
        server = await asyncio.start_server(self._serve, sock=sock, backlog=MAX_CONNECTIONS)
        self._server = server
        if self._closed:
            server.close()

    def close(self) -> None:
        self._closed = True
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        address = peer[0] if peer else ""  # gone already
        self._connections[address] += 1
        try:
            if self._connections[address] > MAX_FROM_ONE or self._connections.total() > MAX_CONNECTIONS:
                raise http.RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
            await self._pass_on(address, reader, writer)
        except http.RefusedError as refused:
            writer.write(http.refusal(refused.status))
        except (OSError, TimeoutError):
            writer.transport.abort()
        finally:
            await http.close(writer)
            self._connections -= Counter([address])  # forgets those that have none left

    async def _pass_on(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await http.read_request(reader)
        header, id = self._mark
        said = {"X-Forwarded-For": address, header: id}
        try:
            answer, agent = await asyncio.open_unix_connection(AGENT_SOCKET)
        except OSError:
            raise http.RefusedError(HTTPStatus.SERVICE_UNAVAILABLE) from None
        try:
            agent.write(http.onward(request, said))
            await http.relay(answer, writer)
        finally:
            await http.close(agent)


class Proxy:
    """Obeys the control socket until the agent closes it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._listeners: dict[str, Listener] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        self._control.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_report)
        loop.add_reader(self._control, self._obey)
        await self._ended.wait()

    def _obey(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._control, 4096, 1)
        if not message:
            self._ended.set()
            return
        order = json.loads(message)
        former = self._listeners.pop(order.get("close") or order["listen"], None)
        if former is not None:
            former.close()
        if descriptors:
            listener = Listener(order["header"], order["id"])
            self._listeners[order["listen"]] = listener
            task = asyncio.get_running_loop().create_task(listener.listen(socket.socket(fileno=descriptors[0])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """What the loop says of an error; that a listening socket was ended by the agent is none."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


def drop_privileges() -> None:
    """Become nobody, for good; no further processes, no files written."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    """Standard input is the control socket; the working folder is the agent's."""
    with socket.socket(fileno=0) as control, asyncio.Runner() as runner:
        drop_privileges()
        runner.run(Proxy(control).run())
