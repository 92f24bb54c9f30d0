"""A web server on loopback that does exactly what a test says, also what no decent one does."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[str, socket.socket], None]
"""Gets the head of a request and the connection to answer on."""


TLS_HELLO = b"\x16"


class Server:
    def __init__(self, answer: Answer, address: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.heads: list[str] = []
        self.connections = 0
        self._answer = answer
        self._tls = tls
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(10)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls is not None:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            head = b""
            while not head.endswith(b"\r\n\r\n") and not head.startswith(TLS_HELLO):
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.heads.append(head.decode(errors="replace"))
            self._answer(self.heads[-1], connection)


@contextlib.contextmanager
def serving(
    answer: Answer, *, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    server = Server(answer, address, port, tls)
    try:
        yield server
    finally:
        server.close()


def says(status: str, body: bytes = b"", *fields: str) -> Answer:
    """One answer to everything, with its length."""
    return sends(head(status, f"Content-Length: {len(body)}", *fields) + body)


def sends(data: bytes) -> Answer:
    def answer(request: str, connection: socket.socket) -> None:
        connection.sendall(data)

    return answer


def redirects(location: str, status: str = "302 Found") -> Answer:
    return says(status, b"not to be read", f"Location: {location}")


def files(data: bytes, *, ranges: bool = True) -> Answer:
    """One file under every path, in ranges where the server has them."""

    def answer(request: str, connection: socket.socket) -> None:
        start = next(
            (line.partition("=")[2] for line in request.split("\r\n") if line.lower().startswith("range:")), ""
        )
        offset = int(start.rstrip("-") or 0)
        if start and ranges:
            shown = f"Content-Range: bytes {offset}-{len(data) - 1}/{len(data)}"
            says("206 Partial Content", data[offset:], shown)(request, connection)
        else:
            says("200 OK", data, *(["Accept-Ranges: bytes"] if ranges else []))(request, connection)

    return answer


def head(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()
