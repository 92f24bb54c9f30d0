"""Who may ask where something would fit."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (Rule("placement:allocation_candidates:list", ADMIN_OR_SERVICE, "List allocation candidates"),)
