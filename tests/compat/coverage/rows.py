"""The operations that the public API has, as the checked-in lists name them, and how each is looked up in our route tables.

Quirks of the lists, which are put together from API references and machine-made descriptions:

* `/identity/v3/OS-OAUTH2/token` is `/v3/OS-OAUTH2/token`, written with where a service may be mounted.
* `…/identity_providers/{idp_id}/protocol/{protocol_id}/websso` is a slip for `…/protocols/…`, which has its own row.
* Descriptions made by machine name methods that the operation refuses: they count as there when the answer is 405.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LISTS = Path(__file__).with_name("operations")
MOUNTED = ("/identity/v3/", "/v3/")
SLIP = ("/protocol/{protocol_id}/websso", "/protocols/{protocol_id}/websso")
# Of the optional rows, those that belong to "identity whole".
WANTED_TOO = ("OS-OAUTH1", "OS-OAUTH2", "OS-FEDERATION", "OS-ENDPOINT-POLICY", "/v3/ec2tokens", "/v3/s3tokens")
POST_ONLY = (
    "/v3/OS-OAUTH1/access_token",
    "/v3/OS-OAUTH1/request_token",
    "/v3/OS-OAUTH2/token",
    "/v3/ec2tokens",
    "/v3/s3tokens",
    "/v3/auth/OS-FEDERATION/saml2",
    "/v3/auth/OS-FEDERATION/saml2/ecp",
)


class Row(NamedTuple):
    """One operation of the public API. `path` is as listed, `asked` as it is looked up."""

    method: str
    path: str
    scope: str

    @property
    def asked(self) -> str:
        return self.path.replace(*MOUNTED).replace(*SLIP)

    @property
    def wanted(self) -> bool:
        """Must it be there?"""
        return self.scope == "core" or any(word in self.path for word in WANTED_TOO)

    @property
    def refused(self) -> bool:
        """Is 405 the API's own answer?"""
        return self.method != "POST" and self.asked in POST_ONLY

    @property
    def example(self) -> str:
        """A path that the route must answer."""
        return re.sub(r"\{(\w+)\}", r"\1", self.asked)


def rows(service: str, file: Path | None = None) -> Iterator[Row]:
    """`file`: a list of another making, with the columns method, path and scope and perhaps a service, in any order."""
    lines = (file or LISTS / f"{service}.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    for line in lines[1:]:
        found = dict(zip(names, line.split("\t"), strict=False))
        if found.get("service", service) == service:
            yield Row(found["method"], found["path"], found["scope"])
