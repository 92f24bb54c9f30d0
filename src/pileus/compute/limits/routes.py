"""GET /limits: what the caller's project may have, and what it has."""

from pileus.compute.quota_sets.limits import limits_of
from pileus.compute.quota_sets.usage import used
from pileus.compute.strictness import refuse_unknown
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

# names of the answer -> quota, and -> counted resource, with the last microversion (2.x) that shows the name
MOST = (
    ("maxTotalInstances", "instances", None),
    ("maxTotalCores", "cores", None),
    ("maxTotalRAMSize", "ram", None),
    ("maxTotalKeypairs", "key_pairs", None),
    ("maxServerMeta", "metadata_items", None),
    ("maxServerGroups", "server_groups", None),
    ("maxServerGroupMembers", "server_group_members", None),
    ("maxImageMeta", "metadata_items", 38),
    ("maxPersonality", "injected_files", 56),
    ("maxPersonalitySize", "injected_file_content_bytes", 56),
)
USED = (
    ("totalInstancesUsed", "instances"),
    ("totalCoresUsed", "cores"),
    ("totalRAMUsed", "ram"),
    ("totalServerGroupsUsed", "server_groups"),
)
OF_NETWORK = {  # to 2.35, for clients that look; network answers for its own
    "maxTotalFloatingIps": -1,
    "maxSecurityGroups": -1,
    "maxSecurityGroupRules": -1,
    "totalFloatingIpsUsed": 0,
    "totalSecurityGroupsUsed": 0,
}


def show(call: Call) -> Json:
    refuse_unknown(call, ("tenant_id",))
    project = call.context.project_id or ""
    asked = call.query_value("tenant_id")
    if asked and asked != project:
        call.enforce("os_compute_api:limits:other_project")
        project = asked
    limits, counted = limits_of(call, project), used(call.db, [project])
    absolute = {name: limits[quota] for name, quota, last in MOST if last is None or call.version <= (2, last)}
    absolute |= {name: counted[resource] for name, resource in USED}
    if not call.at_least(2, 36):
        absolute |= OF_NETWORK
    return {"limits": {"absolute": absolute, "rate": []}}


ROUTES = (Route("GET", "/v2.1/limits", show, "os_compute_api:limits"),)
RULES = (
    Rule("os_compute_api:limits", "@", "Show the limits of one's own project"),
    Rule("os_compute_api:limits:other_project", "rule:admin_required", "Show the limits of another project"),
)
