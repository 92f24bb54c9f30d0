"""Stands between a client and a server on loopback and breaks what a test tells it to break."""

import http.client
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Fault:
    """Happens to the next `times` requests whose method and path (with its query) hold these words."""

    method: str
    word: str = ""
    times: int = 1
    refuse: tuple[int, str] | None = None
    """Status and code that come instead of the server's answer; the server is not asked."""
    lose: bool = False
    """The server is asked; its answer never arrives."""
    cut: int | None = None
    """So many bytes of the answer's body arrive."""
    hang: bool = False
    """Nothing arrives, nor does the connection end."""
    change: Callable[[bytes], bytes] | None = None
    """What becomes of the request's body on its way."""
    seen: int = field(default=0, init=False)


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, server_port: int, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.server_port_behind = server_port
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.released = Event()
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def fault(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if fault.seen < fault.times and fault.method == request.method and fault.word in request.path:
                fault.seen += 1
                return fault
        return None

    def ask(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.server_port_behind, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "expect"}
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(request.body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.server.released.is_set():
            self.close_connection = True
            return
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        self.server.requests.append(request)
        fault = self.server.fault(request) or Fault("")
        if fault.hang:
            self.server.released.wait(30)
        if fault.hang or fault.refuse:
            status, code = fault.refuse or (503, "SlowDown")
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>secret words</Message></Error>".encode()
            self._send(Answer(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))], text))
            return
        if fault.change:
            request.body = fault.change(request.body)
        answer = self.server.ask(request)
        if fault.lose:
            self.close_connection = True
            return
        self._send(answer, fault.cut)

    def _send(self, answer: Answer, cut: int | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in answer.headers) and answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:cut])
        if cut is not None:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests print what they need."""


@contextmanager
def between(server_port: int, tls: tuple[Path, Path] | None = None, port: int = 0) -> Iterator[Proxy]:
    """`tls`: files of the certificate and its key. When it ends it answers nothing more, on old connections neither."""
    with Proxy(server_port, port) as proxy:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
            proxy.scheme = "https"
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.released.set()
            proxy.shutdown()
            thread.join()
