"""Reading servers: who sees which, filters, order, pages."""

import ipaddress
import re
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from pileus.compute.guests.models import Guest
from pileus.compute.servers import states
from pileus.compute.servers.models import Server, ServerTag
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest, Forbidden, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Filter, Listing, Page, boolean, exact, flag
from pileus.network import internal as network

MOST_TAGS = 50


def find(call: Call, server_id: str) -> Server:
    """The server of the path; NotFound when it is another project's."""
    server = call.db.get(Server, server_id)
    if server is None or not call.context.sees_project(server.project_id):
        raise NotFound(f"Instance {server_id} could not be found.")
    return server


def any_status(values: list[str]) -> ColumnElement[bool]:
    return or_(*(states.is_status(value) for value in sorted({value.upper() for value in values})[:50]))


def pattern(column: InstrumentedAttribute[Any]) -> Filter:
    """Names are matched as a regular expression by upstream's MySQL; here too, on every database."""

    def build(values: list[str]) -> ColumnElement[bool]:
        return column.regexp_match(expression(values[-1]).pattern)

    return build


def expression(text: str) -> re.Pattern[str]:
    """A caller's regular expression, unless its search could take longer than a caller may keep the API busy.

    Time grows with repeats in repeats, many repeats and alternatives; what is left is quadratic in a name's length at worst.
    """
    heavy = len(re.findall(r"[*+{]", text)) > 2 or len(re.findall(r"[?|]", text)) > 4
    if heavy or len(text) > 255 or re.search(r"\)[*+?{]|\(\?|\\[0-9]", text):
        raise BadRequest(
            f"Invalid regular expression {text[:40]!r}: it may repeat twice, no groups, and choose four times"
        )
    try:
        return re.compile(text)
    except (re.error, OverflowError) as error:
        raise BadRequest(f"Invalid regular expression {text!r}: {error}") from None


def moment(values: list[str], name: str) -> datetime:
    try:
        return clock.parse(values[-1])
    except ValueError:
        raise BadRequest(f"Invalid input for query parameter {name}: {values[-1]!r} is not a date-time") from None


def task(values: list[str]) -> ColumnElement[bool]:
    verbs = [verb for verb, name in states.TASKS.items() if name in values]
    return and_(Guest.generation < Server.generation, Server.verb.in_(verbs)) if verbs else false()


def _tags(values: list[str]) -> set[str]:
    """Raises BadRequest for more than a server can have."""
    wanted = {tag for tag in ",".join(values).split(",") if tag}
    if len(wanted) > MOST_TAGS:
        raise BadRequest(f"A server has at most {MOST_TAGS} tags: no more can be asked for.")
    return wanted


def all_tags(values: list[str]) -> ColumnElement[bool]:
    wanted = sorted(_tags(values))
    return and_(*(Server.tags.any(ServerTag.tag == tag) for tag in wanted))


def any_tags(values: list[str]) -> ColumnElement[bool]:
    wanted = sorted(_tags(values))
    return Server.tags.any(ServerTag.tag.in_(wanted))


SERVERS = Listing(
    model=Server,
    key=Server.id,
    direction="desc",
    filters={
        "name": pattern(Server.name),
        "status": any_status,
        "image": exact(Server.image_id),
        "flavor": exact(Server.flavor_id),
        "host": exact(Server.host),
        "node": exact(Server.host),
        "hypervisor_hostname": exact(Server.host),
        "uuid": exact(Server.id),
        "id": exact(Server.id),
        "user_id": exact(Server.user_id),
        "project_id": exact(Server.project_id),
        "tenant_id": exact(Server.project_id),
        "reservation_id": exact(Server.reservation_id),
        "key_name": exact(Server.key_name),
        "availability_zone": exact(Server.availability_zone),
        "description": pattern(Server.description),
        "hostname": pattern(Server.hostname),
        "launch_index": exact(Server.launch_index),
        "access_ip_v4": exact(Server.access_ip_v4),
        "access_ip_v6": exact(Server.access_ip_v6),
        "config_drive": flag(Server.config_drive),
        "locked": lambda v: Server.locked_by.is_not(None) if boolean(v[-1]) else Server.locked_by.is_(None),
        "vm_state": lambda v: or_(*(_vm_state(value) for value in v)),
        "task_state": task,
        "power_state": lambda v: Guest.state.in_([s for s, n in states.POWER.items() if str(n) in v]),
        "changes-since": lambda v: Server.updated_at >= moment(v, "changes-since"),
        "changes-before": lambda v: Server.updated_at <= moment(v, "changes-before"),
        "created_at": lambda v: Server.created_at == moment(v, "created_at"),
        "tags": all_tags,
        "tags-any": any_tags,
        "not-tags": lambda v: ~all_tags(v),
        "not-tags-any": lambda v: ~any_tags(v),
        "deleted": lambda v: false() if boolean(v[-1]) else Server.id.is_not(None),
    },
    sort={
        "created_at": Server.created_at,
        "updated_at": Server.updated_at,
        "uuid": Server.id,
        "display_name": Server.name,
        "name": Server.name,
        "host": Server.host,
        "project_id": Server.project_id,
        "user_id": Server.user_id,
        "launched_at": Server.launched_at,
        "image_ref": Server.image_id,
        "key_name": Server.key_name,
        "instance_type_id": Server.flavor_id,
        "availability_zone": Server.availability_zone,
        "display_description": Server.description,
        "hostname": Server.hostname,
    },
)


def _vm_state(value: str) -> ColumnElement[bool]:
    names = {"error": "ERROR", "building": "BUILD", **{vm: status for status, vm in states.SETTLED.values()}}
    return states.is_status(names[value]) if value in names else false()


def page(call: Call) -> Page[Server]:
    """One page of what the caller may see: the own project's, or with `all_tenants` (administrators) everybody's."""
    query = select(Server).outerjoin(Guest, Guest.server_id == Server.id)
    everybody = call.query_value("all_tenants")
    if everybody is not None and (everybody == "" or boolean(everybody)):
        if not call.allows("os_compute_api:servers:index:get_all_tenants"):
            raise Forbidden("Policy does not allow os_compute_api:servers:index:get_all_tenants to be performed.")
    else:
        query = query.where(Server.project_id == call.context.project_id)
    if (metadata := call.query_value("metadata")) is not None:
        query = _with_metadata(query, metadata)
    for name in ("ip", "ip6"):
        if (text := call.query_value(name)) is not None:
            query = query.where(Server.id.in_(_with_address(call, text, 6 if name == "ip6" else 4)))
    return SERVERS.page(call, query)


def _with_metadata(query: "Select[Server]", text: str) -> "Select[Server]":
    """`{'key': 'value'}` in the query, as old clients write it."""
    for key, value in re.findall(r"""['"]([^'"]+)['"]\s*:\s*['"]([^'"]*)['"]""", text)[:128]:
        query = query.where(Server.meta[key].as_string() == value)
    return query


def _with_address(call: Call, text: str, version: int) -> list[str]:
    """Ids of servers with an address that the regular expression matches."""
    found = expression(text)
    scope = None if call.context.is_admin else call.context.project_id
    return [
        server
        for server, address in network.server_addresses(call.db, scope)
        if ipaddress.ip_address(address).version == version and found.search(address)
    ]
