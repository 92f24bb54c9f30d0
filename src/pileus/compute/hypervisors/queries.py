"""Reading hypervisors: each host is one."""

from sqlalchemy import Select, select

from pileus.compute.hosts.models import Host
from pileus.compute.services.queries import number
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Listing, Page

HOSTS = Listing(model=Host, key=Host.id, filters={}, sort={"id": Host.id}, default_sort=(("id", "asc"),))


def find(call: Call, hypervisor_id: str) -> Host:
    """By uuid; by number before 2.53."""
    host: Host | None
    if call.at_least(2, 53):
        host = call.db.get(Host, hypervisor_id)
    else:
        host = next((host for host in call.db.scalars(select(Host)) if str(number(host.id)) == hypervisor_id), None)
    if host is None:
        raise NotFound(f"Hypervisor with ID '{hypervisor_id}' could not be found.")
    return host


def page(call: Call) -> Page[Host]:
    """Pages from 2.33 on; a name pattern from 2.53 on, for which there must be a host."""
    query: Select[Host] = select(Host)
    pattern = call.query_value("hypervisor_hostname_pattern") if call.at_least(2, 53) else None
    if pattern is not None:
        if call.query_value("limit") is not None or call.query_value("marker") is not None:
            raise BadRequest(
                "Paging over results with the hypervisor_hostname_pattern query parameter is not supported."
            )
        return Page(matching(call, pattern), None, False)
    if call.at_least(2, 33):
        return HOSTS.page(call, query)
    return Page(list(call.db.scalars(query.order_by(Host.id))), None, False)


def matching(call: Call, pattern: str) -> list[Host]:
    """Hosts with `pattern` in their name. NotFound when there are none."""
    found = list(call.db.scalars(select(Host).where(Host.name.contains(pattern, autoescape=True)).order_by(Host.id)))
    if not found:
        raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
    return found
