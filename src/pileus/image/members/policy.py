"""Rules on sharing, with upstream's names: the owner shares, the member answers."""

from pileus.kernel.policy import Rule

OWNER = "rule:admin_required or (role:member and project_id:%(project_id)s)"
EITHER = "rule:admin_required or (role:reader and (project_id:%(project_id)s or project_id:%(member_id)s))"

RULES = (
    Rule("add_member", OWNER, "Share an image with a project"),
    Rule("delete_member", OWNER, "End the sharing of an image with a project"),
    Rule("modify_member", "rule:admin_required or (role:member and project_id:%(member_id)s)", "Answer to a sharing"),
    Rule("get_member", EITHER, "Show a project that an image is shared with"),
    Rule("get_members", EITHER, "List the projects that an image is shared with"),
)
