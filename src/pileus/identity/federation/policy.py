"""Federation is the cloud administrators' business; readers of the system see all of it."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_KINDS = (
    ("identity_provider", "an identity provider"),
    ("protocol", "a protocol of an identity provider"),
    ("mapping", "a mapping of attributes to users and groups"),
    ("service_provider", "a service provider"),
)


def _of(kind: str, what: str) -> tuple[Rule, ...]:
    return (
        Rule(f"identity:create_{kind}", ADMIN, f"Make {what}", ANY_SCOPE),
        Rule(f"identity:list_{kind}s", ADMIN_OR_SYSTEM_READER, f"List every {kind.replace('_', ' ')}", ANY_SCOPE),
        Rule(f"identity:get_{kind}", ADMIN_OR_SYSTEM_READER, f"See {what}", ANY_SCOPE),
        Rule(f"identity:update_{kind}", ADMIN, f"Change {what}", ANY_SCOPE),
        Rule(f"identity:delete_{kind}", ADMIN, f"Delete {what}", ANY_SCOPE),
    )


RULES = tuple(rule for kind, what in _KINDS for rule in _of(kind, what))
