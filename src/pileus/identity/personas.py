"""The personas of secure role-based access, as check strings for identity's rules.

`admin` in any scope runs the cloud; `reader` in the system scope sees all; `reader` and `manager` in a domain see and run what is in it.
Targets are the flat names that upstream's policy files use (`target.user.domain_id`, …).
"""

ANY_SCOPE = ("system", "domain", "project")
ADMIN = "rule:admin_required"
SYSTEM_READER = "(role:reader and system_scope:all)"
ADMIN_OR_SYSTEM_READER = f"rule:admin_required or {SYSTEM_READER}"


def domain_reader(*targets: str) -> str:
    """A reader of the domain that every one of the targets names."""
    return "(role:reader and " + " and ".join(f"domain_id:%({target})s" for target in targets) + ")"


def domain_manager(*targets: str) -> str:
    return "(role:manager and " + " and ".join(f"domain_id:%({target})s" for target in targets) + ")"
