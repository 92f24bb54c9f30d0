"""Fetching from URLs that users give, without lending them this cloud's place in the network.

A URL is read once, by one strict grammar (`url`); all that follows comes from its parts. Its host is resolved once and every address
is checked against the rules (`filter`): public ones and the usual ports, unless the operator says otherwise. The connection goes
to exactly such an address, while TLS verifies the name (`wire`). A redirect is a new URL to which all of that is done again (`fetch`).
No proxy of the environment is used, and every wait and every size has its bound (`settings`).
"""

from pileus.image.web.errors import Failed, Refused, TooLarge
from pileus.image.web.fetch import Web
from pileus.image.web.response import Response
from pileus.image.web.settings import WebSettings

__all__ = ["Failed", "Refused", "Response", "TooLarge", "Web", "WebSettings"]
