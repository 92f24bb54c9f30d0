"""A real LDAP server for tests: OpenLDAP's slapd as a process of its own, on loopback, with its files in a folder of the test."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUFFIX, ROOT, SECRET = "dc=example,dc=org", "cn=root,dc=example,dc=org", "root-secret"
PROGRAM = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'accountEnabled' EQUALITY booleanMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'accountFlags' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'account2' SUP top AUXILIARY MAY ( accountEnabled $ accountFlags ) )
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_anon_dn
sizelimit {limit}
{tls}
database mdb
maxsize 268435456
suffix "{suffix}"
rootdn "{root}"
rootpw {secret}
directory {folder}
dbnosync
index objectClass,uid,cn,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""


class Slapd:
    """A server that runs. `add` writes entries as the root of its directory."""

    def __init__(self, port: int, tls_port: int | None = None) -> None:
        self.port = port
        self.tls_port = tls_port

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @contextmanager
    def session(self) -> Iterator[Any]:
        import ldap3

        connection: Any = ldap3.Connection(ldap3.Server(self.url, get_info=ldap3.NONE), ROOT, SECRET, auto_bind=True)
        try:
            yield connection
        finally:
            connection.unbind()

    def add(self, dn: str, classes: list[str], attributes: Mapping[str, object]) -> None:
        with self.session() as connection:
            assert connection.add(dn, classes, dict(attributes)), connection.result

    def change(self, dn: str, **attributes: object) -> None:
        """Each attribute's new values; an empty list removes it."""
        with self.session() as connection:
            changes = {
                name: [("MODIFY_REPLACE", value if isinstance(value, list) else [value])]
                for name, value in attributes.items()
            }
            assert connection.modify(dn, changes), connection.result

    def delete(self, dn: str) -> None:
        with self.session() as connection:
            assert connection.delete(dn), connection.result


@contextmanager
def running(
    folder: Path, *, port: int | None = None, tls: tuple[Path, Path, Path] | None = None, limit: str = "unlimited"
) -> Iterator[Slapd]:
    """`tls`: files of the authority, the certificate and its key. `limit`: entries that one search may find."""
    assert PROGRAM is not None
    data = folder / "data"
    data.mkdir(exist_ok=True)
    lines = ""
    if tls is not None:
        names = ("TLSCACertificateFile", "TLSCertificateFile", "TLSCertificateKeyFile")
        lines = "\n".join(f"{name} {path}" for name, path in zip(names, tls, strict=True))
    config = folder / "slapd.conf"
    config.write_text(CONFIG.format(folder=data, suffix=SUFFIX, root=ROOT, secret=SECRET, tls=lines, limit=limit))
    server = Slapd(port or _free_port(), _free_port() if tls else None)
    urls = server.url + (f" ldaps://127.0.0.1:{server.tls_port}" if tls else "")
    with (folder / "slapd.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "-f", str(config), "-h", urls, "-d", "0"], stdout=log, stderr=log)
        try:
            _wait(process, server.port, folder / "slapd.log")
            if port is None:
                server.add(SUFFIX, ["dcObject", "organization"], {"o": "Example", "dc": "example"})
            yield server
        finally:
            process.kill()
            process.wait(10)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("slapd does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
