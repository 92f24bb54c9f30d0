"""Disabling, enabling and forcing down hosts; and forgetting services that are gone."""

from pileus.compute.hosts.models import Host
from pileus.compute.services import queries
from pileus.compute.services.queries import COMPUTE, Service
from pileus.compute.services.schemas import Named, NamedForcedDown, NamedWithReason, ServiceChange
from pileus.compute.services.views import view
from pileus.kernel.errors import BadRequest, Conflict, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.schema import Unset
from pileus.network import internal as network
from pileus.placement import internal as placement


def find(call: Call, service_id: str) -> Service:
    """By uuid; by number before 2.53."""
    for service in queries.every(call.db):
        if service_id == (service.id if call.at_least(2, 53) else str(service.number)):
            return service
    raise NotFound(f"Service {service_id} could not be found.")


def update(call: Call, service_id: str, body: ServiceChange) -> Json:
    service = find(call, service_id)
    if body == ServiceChange():
        raise BadRequest("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
    host = _host(service)
    if not isinstance(body.disabled_reason, Unset) and body.status != "disabled":
        raise BadRequest("Specifying disabled_reason requires that status is 'disabled'.")
    if not isinstance(body.status, Unset):
        _set_disabled(
            host, body.status == "disabled", None if isinstance(body.disabled_reason, Unset) else body.disabled_reason
        )
    if not isinstance(body.forced_down, Unset):
        host.forced_down = body.forced_down
    return {"service": view(call, queries.of_host(host))}


def enable(call: Call, body: Named) -> Json:
    _set_disabled(_named(call, body), False, None)
    return {"service": {"host": body.host, "binary": body.binary, "status": "enabled"}}


def disable(call: Call, body: Named) -> Json:
    _set_disabled(_named(call, body), True, None)
    return {"service": {"host": body.host, "binary": body.binary, "status": "disabled"}}


def disable_with_reason(call: Call, body: NamedWithReason) -> Json:
    _set_disabled(_named(call, body), True, body.disabled_reason)
    shown = {"host": body.host, "binary": body.binary, "status": "disabled", "disabled_reason": body.disabled_reason}
    return {"service": shown}


def force_down(call: Call, body: NamedForcedDown) -> Json:
    if isinstance(body.forced_down, Unset):
        raise BadRequest("Missing forced_down field")
    _named(call, body).forced_down = body.forced_down
    return {"service": {"host": body.host, "binary": body.binary, "forced_down": body.forced_down}}


def delete(call: Call, service_id: str) -> None:
    """Of a service that is gone; a host leaves with its resource provider, once nothing is allocated on it."""
    service = find(call, service_id)
    if service.up:
        raise Conflict(f"Service {service_id} is up: stop it first.")
    if isinstance(service.row, Host):
        if not placement.forget_provider(call.db, service.row.id):
            raise Conflict(f"Host {service.host} still has servers: move or delete them first.")
        network.forget_host(call.db, service.row.name)
    call.db.delete(service.row)


def _named(call: Call, body: Named) -> Host:
    found = queries.every(call.db, body.host, body.binary)
    if not found:
        raise NotFound(f"Could not find binary {body.binary} on host {body.host}.")
    return _host(found[0])


def _host(service: Service) -> Host:
    if not isinstance(service.row, Host):
        raise BadRequest(
            f"Updating a {service.binary} service is not supported. Only {COMPUTE} services can be updated."
        )
    return service.row


def _set_disabled(host: Host, disabled: bool, reason: str | None) -> None:
    host.disabled, host.disabled_reason = disabled, reason
