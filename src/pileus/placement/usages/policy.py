"""Who may see what is used."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE, ADMIN_SERVICE_OR_READER

RULES = (
    Rule("placement:resource_providers:usages", ADMIN_OR_SERVICE, "See what is used of a provider"),
    Rule("placement:usages", ADMIN_SERVICE_OR_READER, "See what a project uses"),
)
