"""Fetching what a URL names."""

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import inf
from urllib.parse import urljoin

import h11

from pileus.image.web import addresses
from pileus.image.web.addresses import Address
from pileus.image.web.errors import Failed, Refused, filtered
from pileus.image.web.filter import Filter
from pileus.image.web.response import Response
from pileus.image.web.settings import WebSettings
from pileus.image.web.url import Url, read
from pileus.image.web.wire import Wire

REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int, int, int], Sequence[tuple[int, int, int, str, tuple[object, ...]]]]
"""Host, port, family and type to what `socket.getaddrinfo` returns; raises OSError."""


class Web:
    """Blocks: call it in threads, any number of them."""

    def __init__(self, settings: WebSettings, *, resolve: Resolve = socket.getaddrinfo) -> None:
        self._settings = settings
        self._filter = Filter(settings)
        self._resolve = resolve

    def check(self, url: str) -> None:
        """What can be said of a URL without the network: form, scheme, port, host where it is denied or an address. Raises Refused."""
        self._filter.check(read(url))

    def open(
        self,
        url: str,
        *,
        offset: int = 0,
        trusted: bool = False,
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> Response:
        """The data from byte `offset` on.

        `trusted` is for URLs that are the operator's own: they may lead anywhere, but redirects stay on the same server. `headers`
        go to the server named in the URL and to no other. `limit` is how many bytes the whole data may have.
        Raises Refused, Failed, TooLarge.
        """
        place = read(url)
        found = self._addresses(place, trusted)
        own = {"user-agent": "pileus", "accept": "*/*", **({"range": f"bytes={offset}-"} if offset else {})}
        fields = own | {name.lower(): value for name, value in (headers or {}).items()}
        deadline = time.monotonic() + (self._settings.whole_timeout or inf)
        for _ in range(self._settings.redirects + 1):
            wire = Wire(place, found, self._settings, self._trust if place.scheme == "https" else None)
            try:
                head = wire.ask(fields)
                if head.status_code not in REDIRECTS:
                    return self._answer(wire, head, offset, limit, deadline)
            except BaseException:
                wire.close()
                raise
            wire.close()
            try:
                onward = _onward(place, head, trusted)
                found = self._addresses(onward, trusted)
            except Refused as refusal:
                raise Refused(f"Redirected: {refusal}") from None
            place, fields = onward, fields if onward.origin == place.origin else own
        raise Failed("There are too many redirects.")

    def _addresses(self, place: Url, trusted: bool) -> list[Address]:
        """All that the host is now, each one checked: nothing else is connected to. Raises Refused, Failed."""
        if not trusted:
            self._filter.check(place)
        if place.address is not None:
            return [place.address]
        try:
            answers = self._resolve(place.host, place.port, 0, socket.SOCK_STREAM)
            found = list(dict.fromkeys(addresses.parse(str(answer[4][0])) for answer in answers))
        except (OSError, ValueError):
            raise Failed("The URL's host can not be resolved.") from None
        if not trusted:
            self._filter.admit(place, found)
        return found

    def _answer(self, wire: Wire, head: h11.Response, offset: int, limit: int | None, deadline: float) -> Response:
        """Raises Failed, TooLarge."""
        if head.status_code not in (200, 206):
            raise Failed(f"The server answered {head.status_code}.", head.status_code)
        wire.extend(self._settings.idle_timeout, deadline)
        response = Response(wire, head, offset, limit, self._settings.slowest)
        response.skip(offset)
        return response

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        try:
            trust = ssl.create_default_context(cafile=self._settings.ca_file or None)
        except OSError:
            raise Failed("The file of this cloud's certificate authorities can not be read.") from None
        trust.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a body without a length may not be cut on the way
        return trust


def _onward(place: Url, head: h11.Response, trusted: bool) -> Url:
    """Where a redirect leads, read like any URL. Raises Refused, Failed."""
    location = next((value for name, value in head.headers if name == b"location"), b"").decode(errors="replace")
    try:
        onward = read(urljoin(str(place), location))
    except ValueError:
        raise Failed("The server redirects to something that is not a URL.") from None
    if trusted and onward.origin != place.origin:
        raise Failed("The server redirects to another one.")
    if (place.scheme, onward.scheme) == ("https", "http"):
        raise filtered("it leads from https to http")
    return onward
