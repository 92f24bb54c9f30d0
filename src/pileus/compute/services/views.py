"""Services as the API shows them, by microversion."""

from pileus.compute.services.queries import Service
from pileus.kernel.http.call import Call, Json


def view(call: Call, service: Service) -> Json:
    shown: Json = {
        "id": service.id if call.at_least(2, 53) else service.number,
        "binary": service.binary,
        "host": service.host,
        "zone": service.zone,
        "status": "disabled" if service.disabled else "enabled",
        "state": "up" if service.up else "down",
        "updated_at": service.seen_at.isoformat(timespec="microseconds"),
        "disabled_reason": service.disabled_reason,
    }
    return shown | ({"forced_down": service.forced_down} if call.at_least(2, 11) else {})
