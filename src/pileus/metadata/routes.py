"""The metadata API: texts and JSON for the guest that asks."""

import base64
import json

from starlette.responses import PlainTextResponse, Response

from pileus.compute.settings import ComputeSettings
from pileus.kernel.errors import Conflict, NotFound, TooLarge
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.metadata.asker import Asker, identify
from pileus.metadata.documents import ec2, openstack

PASSWORD_LIMIT = 255 * 4


def text(lines: str) -> Response:
    return PlainTextResponse(lines)


def roots(call: Call) -> Response:
    return text("\n".join(ec2.VERSIONS))


def openstack_roots(call: Call) -> Response:
    return text("\n".join(openstack.VERSIONS))


def openstack_files(call: Call, asker: Asker, version: str) -> Response:
    _known(version, openstack.VERSIONS)
    names = ["meta_data.json", "network_data.json", "password", "vendor_data.json", "vendor_data2.json"]
    return text("\n".join(names + (["user_data"] if asker.server.user_data else [])))


def openstack_file(call: Call, asker: Asker, version: str, name: str) -> Response:
    _known(version, openstack.VERSIONS)
    if name == "user_data":
        return _user_data(asker)
    document: dict[str, object]
    if name == "meta_data.json":
        document = openstack.meta_data(asker.server, _domain(call))
    elif name == "network_data.json":
        document = openstack.network_data(asker.ports)
    elif name in ("vendor_data.json", "vendor_data2.json"):
        document = {}
    else:
        raise NotFound(f"There is no {name} here.")
    return Response(json.dumps(document), media_type="application/json")


def get_password(call: Call, asker: Asker, version: str) -> Response:
    _known(version, openstack.VERSIONS)
    return text(asker.server.password_data or "")


async def post_password(call: Call, version: str) -> Response:
    """What a guest's first boot sets once (an encrypted password, for the owner to read)."""
    _known(version, openstack.VERSIONS)
    data = b""
    async for chunk in call.request.stream():
        data += chunk
        if len(data) > PASSWORD_LIMIT:
            raise TooLarge(f"A password may have {PASSWORD_LIMIT} bytes.")
    with call.transaction(write=True):
        server = identify(call).server
        if server.password_data:
            raise Conflict("The password is set already.")
        server.password_data = data.decode("utf-8", "replace")
    return text("")


def ec2_version(call: Call, asker: Asker, version: str) -> Response:
    _known(version, ec2.VERSIONS)
    return text("meta-data/" + ("\nuser-data" if asker.server.user_data else ""))


def ec2_user_data(call: Call, asker: Asker, version: str) -> Response:
    _known(version, ec2.VERSIONS)
    return _user_data(asker)


def ec2_meta_data(call: Call, asker: Asker, version: str, a: str = "", b: str = "", c: str = "") -> Response:
    _known(version, ec2.VERSIONS)
    found = ec2.look_up(ec2.meta_data(asker.server, asker.ports, _domain(call)), [part for part in (a, b, c) if part])
    if found is None:
        raise NotFound("There is nothing of that name.")
    return text(found)


def _user_data(asker: Asker) -> Response:
    if not asker.server.user_data:
        raise NotFound("This server has no user data.")
    return Response(base64.b64decode(asker.server.user_data), media_type="application/octet-stream")


def _known(version: str, versions: tuple[str, ...]) -> None:
    if version not in versions:
        raise NotFound(f"There is no version {version}; known: {', '.join(versions)}.")


def _domain(call: Call) -> str:
    return call.cloud.settings(ComputeSettings).dhcp_domain


ROUTES = (
    Route("GET", "/", roots, PUBLIC),
    Route("GET", "/openstack", openstack_roots, PUBLIC),
    Route("GET", "/openstack/{version}", openstack_files, PUBLIC, load=identify),
    Route("GET", "/openstack/{version}/password", get_password, PUBLIC, load=identify),
    Route("POST", "/openstack/{version}/password", post_password, PUBLIC, stream=True),
    Route("GET", "/openstack/{version}/{name}", openstack_file, PUBLIC, load=identify),
    Route("GET", "/{version}", ec2_version, PUBLIC, load=identify),
    Route("GET", "/{version}/user-data", ec2_user_data, PUBLIC, load=identify),
    Route("GET", "/{version}/meta-data", ec2_meta_data, PUBLIC, load=identify),
    Route("GET", "/{version}/meta-data/{a}", ec2_meta_data, PUBLIC, load=identify),
    Route("GET", "/{version}/meta-data/{a}/{b}", ec2_meta_data, PUBLIC, load=identify),
    Route("GET", "/{version}/meta-data/{a}/{b}/{c}", ec2_meta_data, PUBLIC, load=identify),
)
