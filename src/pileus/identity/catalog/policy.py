"""Who may see and change what the catalog is made of. Regions are for everyone to see."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

RULES = (
    *(
        Rule(f"identity:{verb}_{kind}{'s' if verb == 'list' else ''}", check, f"{verb.title()} {kind}s", ANY_SCOPE)
        for kind in ("service", "endpoint", "region")
        for verb, check in (
            ("get", "@" if kind == "region" else ADMIN_OR_SYSTEM_READER),
            ("list", "@" if kind == "region" else ADMIN_OR_SYSTEM_READER),
            ("create", ADMIN),
            ("update", ADMIN),
            ("delete", ADMIN),
        )
    ),
)
