"""What is answered about the configuration of domains."""

from pileus.identity.replies import one
from pileus.kernel.http.openapi import answer

GROUPS = one("config", dict[str, dict[str, object]])
OPTION = one("config", dict[str, object])
REPLACED = {"responses": {"200": answer("There was one before", {"type": "object", "required": ["config"]})}}
