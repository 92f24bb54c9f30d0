"""Rules of the flavor operations, by upstream's names. Reading flavors needs no more than a token."""

from pileus.kernel.policy import Rule

ADMIN, READ = "rule:admin_required", "rule:reader_or_admin"
MANAGE = "os_compute_api:os-flavor-manage"
ACCESS = "os_compute_api:os-flavor-access"
SPECS = "os_compute_api:os-flavor-extra-specs"

RULES = (
    Rule(f"{MANAGE}:create", ADMIN, "Create a flavor"),
    Rule(f"{MANAGE}:update", ADMIN, "Change a flavor's description"),
    Rule(f"{MANAGE}:delete", ADMIN, "Delete a flavor"),
    Rule(ACCESS, ADMIN, "List the projects that may use a flavor"),
    Rule(f"{ACCESS}:add_tenant_access", ADMIN, "Let a project use a flavor"),
    Rule(f"{ACCESS}:remove_tenant_access", ADMIN, "Take a flavor from a project"),
    Rule(f"{SPECS}:index", READ, "List a flavor's extra specs"),
    Rule(f"{SPECS}:show", READ, "Show an extra spec of a flavor"),
    Rule(f"{SPECS}:create", ADMIN, "Add extra specs to a flavor"),
    Rule(f"{SPECS}:update", ADMIN, "Set an extra spec of a flavor"),
    Rule(f"{SPECS}:delete", ADMIN, "Remove an extra spec of a flavor"),
)
