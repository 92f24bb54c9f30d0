"""Who may move allocations and inventories at once."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:reshaper:reshape", ADMIN_OR_SERVICE, "Change inventories and the allocations on them at once"),
)
