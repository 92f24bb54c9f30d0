"""One request over one connection to exactly the addresses that were checked; h11 speaks the protocol."""

import socket
import ssl
import time
from collections.abc import Mapping, Sequence

import h11

from pileus.image.web.addresses import Address
from pileus.image.web.errors import Failed
from pileus.image.web.settings import WebSettings
from pileus.image.web.url import Url

HEAD_PIECE, BODY_PIECE = 1 << 12, 1 << 18  # bytes taken from the socket at once
MOST_ADDRESSES = 8  # of one host, tried in turn
MOST_INTERIM = 8  # answers of the 1xx kind
OTHER_HOST = (62, 64)  # OpenSSL: the certificate is not for this name, not for this address


class Wire:
    """Every wait is bounded by the time limit of one wait and by `deadline`, seconds of the monotonic clock."""

    def __init__(
        self, url: Url, addresses: Sequence[Address], settings: WebSettings, trust: ssl.SSLContext | None
    ) -> None:
        """Connects. `trust` is for https alone: the certificate must be the host's. Raises Failed."""
        self._url = url
        self._wait = settings.connect_timeout
        self._piece = HEAD_PIECE
        self._deadline = time.monotonic() + settings.answer_timeout
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=settings.max_head)
        self._ended = False
        self._socket = self._connect(addresses[:MOST_ADDRESSES], trust)
        self._wait = settings.answer_timeout

    def ask(self, headers: Mapping[str, str]) -> h11.Response:
        """The head of what the server answers to GET. Raises Failed."""
        always = {"host": self._url.authority, "connection": "close", "accept-encoding": "identity"}
        fields = [*always.items(), *((name, value) for name, value in headers.items() if name.lower() not in always)]
        try:
            request = h11.Request(method="GET", target=self._url.target, headers=fields)
            self._send(self._protocol.send(request))
            self._send(self._protocol.send(h11.EndOfMessage()))
        except h11.LocalProtocolError:
            raise Failed("The request can not be sent.") from None
        for _ in range(MOST_INTERIM):
            event = self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                break
        raise Failed("The server does not answer as a web server does.")

    def extend(self, wait: float, deadline: float) -> None:
        """From the head on, other limits hold."""
        self._wait, self._deadline, self._piece = wait, deadline, BODY_PIECE

    def receive(self) -> bytes:
        """The next piece of the body, b"" at its end. Raises Failed, also if the end comes early."""
        event = None if self._ended else self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        self._ended = True
        return b""

    def close(self) -> None:
        self._socket.close()

    def _next(self) -> h11.Event | None:
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                self._protocol.receive_data(self._take())
            return event if isinstance(event, h11.Event) else None
        except h11.RemoteProtocolError:
            raise Failed("The server ended its answer early, or it is not valid HTTP.") from None

    def _take(self) -> bytes:
        try:
            self._socket.settimeout(self._left())
            return self._socket.recv(self._piece)
        except OSError as error:
            raise _failed(error) from None

    def _send(self, data: bytes | None) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data or b"")
        except OSError as error:
            raise _failed(error) from None

    def _connect(self, addresses: Sequence[Address], trust: ssl.SSLContext | None) -> socket.socket:
        failure = Failed("The URL's host has no address.")
        for address in addresses:
            try:
                return self._reach(address, trust)
            except (OSError, ValueError) as error:
                failure = _failed(error)
        raise failure

    def _reach(self, address: Address, trust: ssl.SSLContext | None) -> socket.socket:
        connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
        try:
            connection.settimeout(self._left())
            connection.connect((str(address), self._url.port))
            if trust is None:
                return connection
            return trust.wrap_socket(connection, server_hostname=self._url.host, suppress_ragged_eofs=False)
        except BaseException:
            connection.close()
            raise

    def _left(self) -> float:
        """Raises TimeoutError."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(self._wait, left)


def _failed(error: Exception) -> Failed:
    """Names no host: it may be one that the caller of a redirected URL did not know."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = "it is another host's" if error.verify_code in OTHER_HOST else error.verify_message
        return Failed(f"The server's certificate can not be verified: {reason}.")
    if isinstance(error, TimeoutError):
        return Failed("The server did not answer in time.")
    if isinstance(error, ssl.SSLError):
        return Failed("TLS with the server failed.")
    return Failed("The connection to the server failed.")
