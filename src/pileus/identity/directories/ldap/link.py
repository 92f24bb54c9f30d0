"""Talking to LDAP servers: bounded in time, the first of several that answers, bound connections kept for the next question."""

import logging
import random
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, LifoQueue
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPExceptionError, LDAPInvalidFilterError

from pileus.identity.directories.ldap.options import LdapOptions
from pileus.kernel.errors import Unavailable

log = logging.getLogger(__name__)
CONNECT, REPLY = 3, 10  # seconds
FOUND, PARTIAL = {0}, {3, 4, 11}  # result codes: success; time, size and administrative limits
ABSENT = {32, 34}  # no such object, not a DN
BROKEN = {51, 52, 80}  # busy, unavailable, other: says nothing about the password
UNSAFE = {8, 13}  # the server wants TLS first
SCOPES = {"one": ldap3.LEVEL, "sub": ldap3.SUBTREE, "base": ldap3.BASE}
ALIASES = {
    "never": ldap3.DEREF_NEVER,
    "default": ldap3.DEREF_NEVER,
    "searching": ldap3.DEREF_SEARCH,
    "finding": ldap3.DEREF_BASE,
    "always": ldap3.DEREF_ALWAYS,
}


class Tls(ldap3.Tls):
    """The standard library's own checks of certificate and host name, in place of that library's."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs_file, capath=self.ca_certs_path)
        if self.validate == ssl.CERT_NONE:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.socket = context.wrap_socket(connection.socket, server_hostname=connection.server.host)


@dataclass(frozen=True)
class Entry:
    dn: str
    values: Mapping[str, Sequence[bytes]]

    def all(self, attribute: str) -> Sequence[bytes]:
        return self.values.get(attribute.lower(), ())


class Link:
    def __init__(self, what: str, options: LdapOptions) -> None:
        """`what` names the directory in messages."""
        self._what = what
        self._options = options
        self._kept: LifoQueue[tuple[float, Any]] = LifoQueue(max(1, options.pool_size))
        self._urls = [url.strip() for url in options.url.split(",") if url.strip()]
        if options.randomize_urls:
            random.shuffle(self._urls)

    def search(
        self, base: str, scope: str, wanted: str, attributes: Sequence[str], *, whole: bool = False
    ) -> list[Entry]:
        """Entries below `base` ("one", "sub") or itself ("base"). Raises Unavailable, also for a part where `whole` is asked for."""
        with self._bound() as connection:
            found: list[Entry] = []
            cookie: Any = None
            while True:
                partial = self._ask(connection, base, scope, wanted, attributes, cookie)
                if partial and whole:
                    raise self._down(f"it gives only part of what is below {base!r}")
                found += [_entry(item) for item in connection.response or () if item.get("type") == "searchResEntry"]
                controls = (connection.result or {}).get("controls") or {}
                cookie = controls.get("1.2.840.113556.1.4.319", {}).get("value", {}).get("cookie")
                if not cookie:
                    return found

    def _ask(
        self, connection: Any, base: str, scope: str, wanted: str, attributes: Sequence[str], cookie: object
    ) -> bool:
        """Whether the answer is only a part."""
        options = self._options
        try:
            connection.search(
                base,
                wanted,
                SCOPES[scope],
                dereference_aliases=ALIASES[options.alias_dereferencing],
                attributes=list(attributes),
                time_limit=REPLY,
                paged_size=options.page_size or None,
                paged_cookie=cookie,
            )
        except LDAPInvalidFilterError:
            raise self._down(f"its filter {wanted} is not valid") from None
        code = connection.result["result"]
        if code in PARTIAL:
            log.warning("%s gave only part of what is below %s: %s", self._what, base, connection.result["description"])
        if code not in FOUND | PARTIAL and not (code in ABSENT and scope == "base"):
            raise self._down(f"searching {base!r} ends with {connection.result['description']!r}")
        return code in PARTIAL

    def accepts(self, dn: str, password: str) -> bool:
        """Does a bind with that DN and password succeed? An empty password would be no proof (RFC 4513, 5.1.2): False."""
        if not password or not dn:
            return False
        connection = self._open(dn, password)
        try:
            with self._faults():
                good = bool(connection.bind())
                code = connection.result["result"]
        finally:
            _close(connection)
        if code in BROKEN | UNSAFE:
            raise self._down(f"logging in ends with {connection.result['description']!r}")
        return good and code == 0

    def close(self) -> None:
        with suppress(Empty):
            while True:
                _close(self._kept.get_nowait()[1])

    @contextmanager
    def _bound(self) -> Iterator[Any]:
        """A connection for the driver's own searches; it goes back to the kept ones unless something went wrong."""
        connection, born = self._take() or (self._bind(), time.monotonic())
        try:
            with self._faults():
                yield connection
        except BaseException:
            _close(connection)
            raise
        if not self._options.use_pool or self._kept.full():
            _close(connection)
        else:
            self._kept.put((born, connection))

    def _take(self) -> tuple[Any, float] | None:
        """A kept connection that still answers."""
        while True:
            try:
                born, connection = self._kept.get_nowait()
            except Empty:
                return None
            if time.monotonic() - born < self._options.pool_connection_lifetime:
                try:
                    if connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["1.1"]):
                        return connection, born
                except (LDAPException, OSError):
                    pass  # its server went away or closed it while it was idle
            _close(connection)

    def _bind(self) -> Any:
        options = self._options
        connection = self._open(options.user, options.password)
        try:
            with self._faults():
                if not connection.bind():
                    raise self._down(f"its user {options.user!r} is refused: {connection.result['description']}")
        except BaseException:
            _close(connection)
            raise
        return connection

    def _open(self, user: str | None, password: str | None) -> Any:
        """The first server that answers. Raises Unavailable."""
        why = "no url is configured"
        for url in self._urls:
            try:
                return self._connect(url, user, password)
            except (LDAPException, OSError, ValueError) as error:
                why = f"{url}: {error}"
        raise self._down(why)

    def _connect(self, url: str, user: str | None, password: str | None) -> Any:
        options = self._options
        tls = Tls(  # "allow" goes on with a bad certificate too
            validate=ssl.CERT_REQUIRED if options.tls_req_cert == "demand" else ssl.CERT_NONE,
            ca_certs_file=options.tls_cacertfile,
            ca_certs_path=options.tls_cacertdir,
        )
        patience = options.pool_connection_timeout
        server = ldap3.Server(
            url, get_info=ldap3.NONE, tls=tls, connect_timeout=min(patience, CONNECT) if patience > 0 else CONNECT
        )
        connection: Any = ldap3.Connection(
            server,
            user=user,
            password=password,
            authentication=ldap3.SIMPLE if user else ldap3.ANONYMOUS,
            read_only=True,
            receive_timeout=REPLY,
            auto_referrals=bool(options.chase_referrals),
            check_names=False,
            auto_encode=False,
            auto_escape=False,
        )
        try:
            connection.open(read_server_info=False)
            if options.use_tls and not connection.start_tls(read_server_info=False):
                raise LDAPExceptionError("StartTLS is refused")
        except BaseException:
            _close(connection)
            raise
        return connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (LDAPException, OSError) as error:
            raise self._down(str(error) or type(error).__name__) from None

    def _down(self, why: str) -> Unavailable:
        return Unavailable(f"{self._what} can not be asked: {why}.")


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(str(item["dn"]), {name.lower(): values for name, values in item["raw_attributes"].items()})


def _close(connection: Any) -> None:
    with suppress(LDAPException, OSError):  # it may be closed already
        connection.unbind()
    if connection.socket is not None:
        connection.socket.close()  # after an attempt that failed it is open still
