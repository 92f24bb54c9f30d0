"""Who asks: the guest whose id the metadata agent of its host has signed."""

import hashlib
import hmac
from typing import NamedTuple

from pileus.compute import internal as compute
from pileus.compute.servers.models import Server
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call
from pileus.network import internal as network
from pileus.network.internal import PortFacts


class Asker(NamedTuple):
    server: Server
    ports: list[PortFacts]


def signature(secret: str, server_id: str) -> str:
    return hmac.new(secret.encode(), server_id.encode(), hashlib.sha256).hexdigest()


class Secret(NamedTuple):
    """The secret that host agents sign with."""

    value: str


def identify(call: Call) -> Asker:
    """Believes nothing but the signature; every other header is the guest's own invention."""
    headers = call.request.headers
    server_id, signed = headers.get("x-instance-id", ""), headers.get("x-instance-id-signature", "")
    expected = signature(call.cloud.part(Secret).value, server_id)
    if not server_id or not hmac.compare_digest(expected.encode(), signed.encode("latin-1", "replace")):
        raise Forbidden("The request is not signed by a metadata agent of this cloud.")
    server = compute.server(call.db, server_id)
    if server is None or headers.get("x-tenant-id", server.project_id) != server.project_id:
        raise NotFound("There is no such server.")
    return Asker(server, network.ports_of(call.db, [server.id])[server.id])
