"""Quotas of projects and of the default class: the tables, the rules and thin handlers."""

from typing import NamedTuple

from pileus.compute.quota_sets import views
from pileus.compute.quota_sets.limits import QUOTAS, limits_of
from pileus.compute.quota_sets.schemas import Limits, QuotaClassSetBody, QuotaSetBody, given
from pileus.compute.quota_sets.usage import used
from pileus.compute.settings import ComputeSettings
from pileus.compute.strictness import refuse_unknown
from pileus.identity import internal as identity
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule
from pileus.kernel.quotas import DEFAULT_CLASS, source_of

SETS = "os_compute_api:os-quota-sets"
CLASSES = "os_compute_api:os-quota-class-sets"


class Tenant(NamedTuple):
    """The project of the path, as a policy target."""

    project_id: str


def of_path(call: Call, tenant_id: str) -> Tenant:
    return Tenant(tenant_id)


def _known(call: Call, tenant: Tenant, *, user: bool = True) -> str:
    refuse_unknown(call, ("user_id",) if user else ())
    if not identity.project_exists(call.db, tenant.project_id):
        raise BadRequest(f"Project ID {tenant.project_id} is not a valid project.")
    return tenant.project_id


def show(call: Call, tenant: Tenant) -> Json:
    project = _known(call, tenant)
    return {"quota_set": {"id": project, **views.of_project(call, limits_of(call, project), -1)}}


def defaults(call: Call, tenant_id: str) -> Json:
    project = _known(call, Tenant(tenant_id))
    return {"quota_set": {"id": project, **views.of_project(call, limits_of(call, DEFAULT_CLASS), -1)}}


def detail(call: Call, tenant: Tenant) -> Json:
    project = _known(call, tenant)
    counted = used(call.db, [project])
    shown = {
        name: {"limit": limit, "in_use": counted.get(name, 0), "reserved": 0}
        for name, limit in limits_of(call, project).items()
    }
    return {"quota_set": {"id": project, **views.of_project(call, shown, {"limit": -1, "in_use": 0, "reserved": 0})}}


def update(call: Call, tenant: Tenant, body: QuotaSetBody) -> Json:
    project = _known(call, tenant)
    _refuse_user(call)
    wanted = given(body.quota_set, _names(call))
    if not body.quota_set.force:
        counted = used(call.db, [project])
        for name, limit in wanted.items():
            if 0 <= limit < counted.get(name, 0):
                raise BadRequest(
                    f"Quota limit {limit} for {name} must be greater than or equal to already used and reserved {counted[name]}."
                )
    source_of(call.db).set(call.db, QUOTAS, project, wanted)
    return {"quota_set": views.of_project(call, limits_of(call, project), -1)}


def delete(call: Call, tenant: Tenant) -> None:
    """Back to the defaults."""
    _refuse_user(call)
    source_of(call.db).reset(call.db, QUOTAS, _known(call, tenant))


def _refuse_user(call: Call) -> None:
    if call.query_value("user_id") is not None:
        raise BadRequest("Quotas are kept per project: leave user_id out.")


def _names(call: Call) -> tuple[str, ...]:
    return tuple(call.cloud.settings(ComputeSettings).quotas())


def show_class(call: Call, class_name: str) -> Json:
    return {"quota_class_set": {"id": class_name, **views.of_class(call, limits_of(call, _class(class_name)))}}


def update_class(call: Call, class_name: str, body: QuotaClassSetBody) -> Json:
    limits: Limits = body.quota_class_set
    source_of(call.db).set(call.db, QUOTAS, _class(class_name), given(limits, _names(call)))
    return {"quota_class_set": views.of_class(call, limits_of(call, _class(class_name)))}


def _class(name: str) -> str:
    if f"class:{name}" != DEFAULT_CLASS:
        raise BadRequest(f"There is no quota class {name}: the class of every project is 'default'.")
    return DEFAULT_CLASS


Q, C = "/v2.1/os-quota-sets/{tenant_id}", "/v2.1/os-quota-class-sets/{class_name}"
ROUTES = (
    Route("GET", Q, show, f"{SETS}:show", load=of_path),
    Route("GET", f"{Q}/defaults", defaults, f"{SETS}:defaults"),
    Route("GET", f"{Q}/detail", detail, f"{SETS}:detail", load=of_path),
    Route("PUT", Q, update, f"{SETS}:update", load=of_path),
    Route("DELETE", Q, delete, f"{SETS}:delete", load=of_path, status=202),
    Route("GET", C, show_class, f"{CLASSES}:show"),
    Route("PUT", C, update_class, f"{CLASSES}:update"),
)
RULES = (
    Rule(f"{SETS}:show", "rule:reader_or_admin", "Show a project's quotas"),
    Rule(f"{SETS}:defaults", "@", "Show the default quotas"),
    Rule(f"{SETS}:detail", "rule:reader_or_admin", "Show a project's quotas and what it uses"),
    Rule(f"{SETS}:update", "rule:admin_required", "Set a project's quotas"),
    Rule(f"{SETS}:delete", "rule:admin_required", "Give a project the default quotas"),
    Rule(f"{CLASSES}:show", "rule:admin_required", "Show the default quotas of all projects"),
    Rule(f"{CLASSES}:update", "rule:admin_required", "Set the default quotas of all projects"),
)
