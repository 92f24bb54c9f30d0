"""Quotas of projects. The resource has no table of its own: the kernel keeps limits, the rows themselves are the usage."""

import msgspec

from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET, Shape, Unset
from pileus.kernel.quotas import source_of
from pileus.network import usage
from pileus.network.errors import invalid
from pileus.network.policy import ADMIN, READER, rules
from pileus.network.rest.bodies import given
from pileus.network.settings import settings_of

LARGEST = 2**31 - 1


class Limits(Shape):
    network: int | Unset = UNSET
    subnet: int | Unset = UNSET
    subnetpool: int | Unset = UNSET
    port: int | Unset = UNSET
    router: int | Unset = UNSET
    floatingip: int | Unset = UNSET
    security_group: int | Unset = UNSET
    security_group_rule: int | Unset = UNSET
    project_id: str | Unset = UNSET
    tenant_id: str | Unset = UNSET
    force: bool | Unset = UNSET
    check_limit: bool | Unset = UNSET


class LimitsBody(Shape):
    quota: Limits


class Owner(msgspec.Struct, frozen=True):
    """What rules about quotas are checked against: the project itself."""

    project_id: str

    def policy_target(self) -> dict[str, object]:
        return {"project_id": self.project_id, "tenant_id": self.project_id}


def find(call: Call, project_id: str) -> Owner:
    return Owner(project_id)


def index(call: Call) -> Json:
    projects = source_of(call.db).projects(call.db, usage.QUOTAS)
    return {"quotas": [_view(call, project) for project in projects]}


def _view(call: Call, project_id: str) -> Json:
    return {**usage.limits(call.db, project_id), "project_id": project_id, "tenant_id": project_id}


def show(call: Call, owner: Owner) -> Json:
    return {"quota": usage.limits(call.db, owner.project_id)}


def defaults(call: Call, owner: Owner) -> Json:
    return {"quota": settings_of(call.db).quota_defaults}


def details(call: Call, owner: Owner) -> Json:
    limits = usage.limits(call.db, owner.project_id)
    return {
        "quota": {
            name: {"limit": limit, "used": usage.used(call.db, [owner.project_id], name), "reserved": 0}
            for name, limit in limits.items()
        }
    }


def update(call: Call, owner: Owner, body: LimitsBody) -> Json:
    values = {
        name: value for name, value in given(body.quota).items() if name in usage.COUNTED and isinstance(value, int)
    }
    for name, value in values.items():
        if not -1 <= value <= LARGEST:
            raise invalid(f"quota limit of {name} must be from -1 to {LARGEST}.")
    source_of(call.db).set(call.db, usage.QUOTAS, owner.project_id, values)
    call.db.flush()
    return {"quota": usage.limits(call.db, owner.project_id)}


def reset(call: Call, owner: Owner) -> None:
    source_of(call.db).reset(call.db, usage.QUOTAS, owner.project_id)


ONE = "/v2.0/quotas/{project_id}"
ROUTES = (
    Route("GET", "/v2.0/quotas", index, "get_quotas"),
    Route("GET", ONE, show, "get_quota", load=find),
    Route("GET", f"{ONE}/default", defaults, "get_quota", load=find),
    Route("GET", f"{ONE}/details", details, "get_quota", load=find),
    Route("GET", f"{ONE}/details.json", details, "get_quota", load=find),
    Route("PUT", ONE, update, "update_quota", load=find),
    Route("DELETE", ONE, reset, "delete_quota", load=find, status=204),
)
RULES = rules({"get_quotas": ADMIN, "get_quota": READER, "update_quota": ADMIN, "delete_quota": ADMIN}, "Quotas")
