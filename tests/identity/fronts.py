"""A front that ends TLS, as operators put one before the APIs; and certificates for both sides."""

import base64
import datetime
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pileus.kernel.http.app import App

HEADER = "client-cert"
FRONT = "127.0.0.2"  # where the front's own connections come from
NAMES = {
    "CN": NameOID.COMMON_NAME,
    "UID": NameOID.USER_ID,
    "O": NameOID.ORGANIZATION_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
}


class Authority:
    """A certificate authority; `issue` writes a certificate and its key into one PEM file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key.public_key(), authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(self, **names: str) -> Path:
        """`CN="demo", UID=…`; several of one kind are separated by `;`."""
        parts = [(kind, value) for kind, values in names.items() for value in values.split(";")]
        subject = x509.Name([x509.NameAttribute(NAMES[kind], value) for kind, value in parts])
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(subject, key.public_key())
        path = self.folder / f"{made.serial_number}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(made.public_bytes(Encoding.PEM) + private)
        return path

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool = False) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(address, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def der(file: Path) -> bytes:
    return x509.load_pem_x509_certificate(file.read_bytes()).public_bytes(Encoding.DER)


def field(file: Path) -> str:
    """As RFC 9440 writes it."""
    return f":{base64.b64encode(der(file)).decode()}:"


@contextmanager
def serving(app: App) -> Iterator[int]:
    """The application behind real sockets; the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = uvicorn.Config(app, log_config=None, lifespan="off", proxy_headers=False)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def front(authority: Authority, backend: int) -> Iterator[int]:
    """TLS with or without a client's certificate; passes it on in HEADER and nothing of that name that the client sent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relay(self) -> None:
            assert isinstance(self.connection, ssl.SSLSocket)
            shown = self.connection.getpeercert(binary_form=True)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in (HEADER, "host")}
            if shown:
                headers[HEADER] = f":{base64.b64encode(shown).decode()}:"
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            line = http.client.HTTPConnection("127.0.0.1", backend, timeout=10, source_address=(FRONT, 0))
            line.request(self.command, self.path, body, headers)
            reply = line.getresponse()
            data = reply.read()
            line.close()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ("date", "content-length"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = relay

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue(CN="front"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
