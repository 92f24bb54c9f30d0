"""Servers: the table, and thin handlers."""

from pileus.compute.servers import actions, console, groups, hostnames, queries, views
from pileus.compute.servers.create import create
from pileus.compute.servers.models import Server
from pileus.compute.servers.policy import SERVERS
from pileus.compute.servers.schemas import CreateServerBody, UpdateServerBody
from pileus.compute.servers.template import checked_address
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.listing import Page
from pileus.kernel.http.routes import Action, Route
from pileus.kernel.http.schema import Unset
from pileus.network import internal as network


def _listed(call: Call, page: Page[Server], items: list[Json], path: str) -> Json:
    body: Json = {"servers": items}
    if link := queries.SERVERS.next_link(call, page, path):
        body["servers_links"] = [{"rel": "next", "href": link}]
    return body


def index(call: Call) -> Json:
    page = queries.page(call)
    return _listed(call, page, [views.brief(call, server) for server in page.items], "/v2.1/servers")


def detail(call: Call) -> Json:
    page = queries.page(call)
    return _listed(call, page, views.many(call, page.items), "/v2.1/servers/detail")


def post(call: Call, body: CreateServerBody) -> Reply:
    servers = create(call, body)
    first = servers[0]
    if body.server.return_reservation_id:
        return Reply({"reservation_id": first.reservation_id})
    groups = body.server.security_groups
    shown: Json = {
        "id": first.id,
        "links": views.links(call, first.id),
        "OS-DCF:diskConfig": first.disk_config,
        "security_groups": [{"name": "default"}] if isinstance(groups, Unset) else [{"name": g.name} for g in groups],
        "adminPass": first.admin_pass,
    }
    return Reply({"server": shown}, headers={"location": call.url(f"/v2.1/servers/{first.id}")})


def show(call: Call, server: Server) -> Json:
    return {"server": views.one(call, server)}


def update(call: Call, server: Server, body: UpdateServerBody) -> Json:
    wish = body.server
    if not isinstance(wish.name, Unset):
        server.name = wish.name.strip()
    if not isinstance(wish.description, Unset):
        server.description = wish.description
    if not isinstance(wish.hostname, Unset):
        server.hostname = hostnames.checked(call, wish.hostname)
    if not isinstance(wish.accessIPv4, Unset):
        server.access_ip_v4 = checked_address(wish.accessIPv4, 4)
    if not isinstance(wish.accessIPv6, Unset):
        server.access_ip_v6 = checked_address(wish.accessIPv6, 6)
    if not isinstance(wish.disk_config, Unset):
        server.disk_config = wish.disk_config
    call.db.flush()
    return {"server": views.updated(call, server)}


def addresses(call: Call, server: Server) -> Json:
    ports = network.ports_of(call.db, [server.id]).get(server.id, [])
    plain = {
        name: [{"version": e["version"], "addr": e["addr"]} for e in held]
        for name, held in views.addresses(ports).items()
    }
    return {"addresses": plain}


def addresses_of(call: Call, server: Server, label: str) -> Json:
    held = addresses(call, server)["addresses"]
    if label not in held:
        raise NotFound(f"Network {label} of instance {server.id} could not be found.")
    return {label: held[label]}


VERBS = {
    "os-start": Action(actions.start, f"{SERVERS}:start"),
    "os-stop": Action(actions.stop, f"{SERVERS}:stop"),
    "reboot": Action(actions.reboot, f"{SERVERS}:reboot"),
    "pause": Action(actions.pause, "os_compute_api:os-pause-server:pause"),
    "unpause": Action(actions.unpause, "os_compute_api:os-pause-server:unpause"),
    "lock": Action(actions.lock, "os_compute_api:os-lock-server:lock"),
    "unlock": Action(actions.unlock, "os_compute_api:os-lock-server:unlock"),
    "addSecurityGroup": Action(groups.add, "os_compute_api:os-security-groups:add"),
    "removeSecurityGroup": Action(groups.remove, "os_compute_api:os-security-groups:remove"),
    "os-resetState": Action(actions.reset_state, "os_compute_api:os-admin-actions:reset_state"),
    "os-getConsoleOutput": Action(console.output, "os_compute_api:os-console-output", status=200),
}

S = "/v2.1/servers/{server_id}"
ROUTES = (
    Route("GET", "/v2.1/servers", index, f"{SERVERS}:index"),
    Route("GET", "/v2.1/servers/detail", detail, f"{SERVERS}:detail"),
    Route("POST", "/v2.1/servers", post, f"{SERVERS}:create", status=202),
    Route("GET", S, show, f"{SERVERS}:show", load=queries.find),
    Route("PUT", S, update, f"{SERVERS}:update", load=queries.find),
    Route("DELETE", S, actions.delete, f"{SERVERS}:delete", load=queries.find, status=204),
    Route("POST", f"{S}/action", load=queries.find, actions=VERBS),
    Route("GET", f"{S}/os-security-groups", groups.index, "os_compute_api:os-security-groups:list", load=queries.find),
    Route("GET", f"{S}/ips", addresses, "os_compute_api:ips:index", load=queries.find),
    Route("GET", f"{S}/ips/{{label}}", addresses_of, "os_compute_api:ips:show", load=queries.find),
)
