"""Extensions, as clients from before microversions ask for them: names of what is served."""

from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

SERVED = {
    "os-aggregates": "Aggregates",
    "os-attach-interfaces": "AttachInterfaces",
    "os-availability-zone": "AvailabilityZone",
    "os-config-drive": "ConfigDrive",
    "os-console-output": "ConsoleOutput",
    "os-extended-availability-zone": "ExtendedAvailabilityZone",
    "os-extended-server-attributes": "ExtendedServerAttributes",
    "os-extended-status": "ExtendedStatus",
    "os-flavor-access": "FlavorAccess",
    "os-flavor-extra-specs": "FlavorExtraSpecs",
    "os-flavor-manage": "FlavorManage",
    "os-hosts": "Hosts",
    "os-hypervisors": "Hypervisors",
    "os-instance-actions": "InstanceActions",
    "os-keypairs": "Keypairs",
    "os-migrations": "Migrations",
    "os-pause-server": "PauseServer",
    "os-quota-class-sets": "QuotaClasses",
    "os-quota-sets": "Quotas",
    "os-scheduler-hints": "SchedulerHints",
    "os-server-groups": "ServerGroups",
    "os-server-usage": "ServerUsage",
    "os-services": "Services",
    "os-simple-tenant-usage": "SimpleTenantUsage",
    "os-user-data": "UserData",
    "OS-DCF": "DiskConfig",
}
UPDATED = "2014-12-03T00:00:00Z"


def view(alias: str, name: str) -> Json:
    return {
        "alias": alias,
        "name": name,
        "description": f"{name}, part of the API.",
        "namespace": "",
        "links": [],
        "updated": UPDATED,
    }


def index(call: Call) -> Json:
    return {"extensions": [view(alias, name) for alias, name in SERVED.items()]}


def show(call: Call, alias: str) -> Json:
    if alias not in SERVED:
        raise NotFound(f"There is no extension {alias}.")
    return {"extension": view(alias, SERVED[alias])}


ROUTES = (
    Route("GET", "/v2.1/extensions", index, "os_compute_api:extensions"),
    Route("GET", "/v2.1/extensions/{alias}", show, "os_compute_api:extensions"),
)
RULES = (Rule("os_compute_api:extensions", "@", "List extensions"),)
