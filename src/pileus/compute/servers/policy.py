"""Rules of the server operations, by upstream's names."""

from pileus.kernel.policy import Rule

SERVERS = "os_compute_api:servers"
READ, WRITE, ADMIN = "rule:reader_or_admin", "rule:member_or_admin", "rule:admin_required"

RULES = (
    Rule(f"{SERVERS}:index", READ, "List servers"),
    Rule(f"{SERVERS}:detail", READ, "List servers with details"),
    Rule(f"{SERVERS}:index:get_all_tenants", ADMIN, "List the servers of all projects"),
    Rule(f"{SERVERS}:show", READ, "Show a server"),
    Rule(f"{SERVERS}:show:host_status", ADMIN, "See the status of a server's host"),
    Rule(f"{SERVERS}:create", "rule:project_member or rule:admin_required", "Create a server"),
    Rule(f"{SERVERS}:create:forced_host", ADMIN, "Create a server on a given host"),
    Rule(
        "compute:servers:create:requested_destination",
        ADMIN,
        "Create a server on a given host, checked by the scheduler",
    ),
    Rule(f"{SERVERS}:update", WRITE, "Rename a server and change its descriptions"),
    Rule(f"{SERVERS}:delete", WRITE, "Delete a server"),
    Rule(f"{SERVERS}:start", WRITE, "Start a server"),
    Rule(f"{SERVERS}:stop", WRITE, "Stop a server"),
    Rule(f"{SERVERS}:reboot", WRITE, "Reboot a server"),
    Rule("os_compute_api:os-pause-server:pause", WRITE, "Pause a server"),
    Rule("os_compute_api:os-pause-server:unpause", WRITE, "Unpause a server"),
    Rule("os_compute_api:os-lock-server:lock", WRITE, "Lock a server"),
    Rule("os_compute_api:os-lock-server:unlock", WRITE, "Unlock a server"),
    Rule("os_compute_api:os-lock-server:unlock:unlock_override", ADMIN, "Unlock a server that an administrator locked"),
    Rule("os_compute_api:os-console-output", WRITE, "Show a server's console log"),
    Rule("os_compute_api:os-extended-server-attributes", ADMIN, "See hosts, instance names and user data of servers"),
    Rule("os_compute_api:os-flavor-extra-specs:index", READ, "See a flavor's extra specs"),
    Rule("os_compute_api:server-metadata:index", READ, "List a server's metadata"),
    Rule("os_compute_api:server-metadata:show", READ, "Show a metadata item of a server"),
    Rule("os_compute_api:server-metadata:create", WRITE, "Add metadata to a server"),
    Rule("os_compute_api:server-metadata:update_all", WRITE, "Replace a server's metadata"),
    Rule("os_compute_api:server-metadata:update", WRITE, "Set a metadata item of a server"),
    Rule("os_compute_api:server-metadata:delete", WRITE, "Remove a metadata item of a server"),
    Rule("os_compute_api:os-server-tags:index", READ, "List a server's tags"),
    Rule("os_compute_api:os-server-tags:show", READ, "Ask for a tag of a server"),
    Rule("os_compute_api:os-server-tags:update", WRITE, "Add a tag to a server"),
    Rule("os_compute_api:os-server-tags:update_all", WRITE, "Replace a server's tags"),
    Rule("os_compute_api:os-server-tags:delete", WRITE, "Remove a tag of a server"),
    Rule("os_compute_api:os-server-tags:delete_all", WRITE, "Remove a server's tags"),
    Rule("os_compute_api:ips:index", READ, "List a server's addresses"),
    Rule("os_compute_api:ips:show", READ, "List a server's addresses in one network"),
    Rule("os_compute_api:os-security-groups:list", READ, "List a server's security groups"),
    Rule("os_compute_api:os-security-groups:add", WRITE, "Put a server into a security group"),
    Rule("os_compute_api:os-security-groups:remove", WRITE, "Take a server out of a security group"),
    Rule("os_compute_api:os-admin-actions:reset_state", ADMIN, "Put a server into ERROR, or out of it"),
    Rule("os_compute_api:os-attach-interfaces:list", READ, "List a server's ports"),
    Rule("os_compute_api:os-attach-interfaces:show", READ, "Show a server's port"),
)
