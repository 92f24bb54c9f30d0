"""Names that this service's rules are made of; each resource's `policy.py` uses them."""

from pileus.kernel.policy import Rule

ADMIN = "rule:admin_required"
READER = "rule:reader_or_admin"
MEMBER = "rule:member_or_admin"
SERVICE = "rule:admin_required or rule:service_role"
NET_OWNER = "rule:admin_required or (role:member and rule:network_owner)"
NET_OWNER_READER = "rule:admin_required or (role:reader and rule:network_owner)"
NET_OWNER_OR_SERVICE = f"{NET_OWNER} or rule:service_role"

RULES = (
    Rule("network_owner", "project_id:%(network:project_id)s", "Projects that own the network of a subnet or port"),
    Rule("shared", "True:%(shared)s", "Things that are shared with everyone"),
    Rule("external", "True:%(router:external)s", "External networks"),
    Rule("network_shared", "True:%(network:shared)s", "Things on a network that is shared with everyone"),
)


def rules(names: dict[str, str], what: str) -> tuple[Rule, ...]:
    """Rules of one resource: name -> check."""
    return tuple(Rule(name, check, f"{what}: {name.replace('_', ' ')}") for name, check in names.items())


def attribute_rules(action: str, check: str, *attributes: str) -> dict[str, str]:
    """`create_network` and attributes -> `create_network:shared`, …"""
    return {f"{action}:{attribute}": check for attribute in attributes}
