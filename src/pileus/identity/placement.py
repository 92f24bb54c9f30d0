"""Which domain a request is about when no row says so yet: that of a new thing, or the one a list is narrowed to."""

from collections.abc import Callable

from pileus.identity.projects.models import Project
from pileus.identity.seeds import DEFAULT_DOMAIN
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call


class InDomain:
    """A policy target that has a domain and nothing else yet. `name` is the target's attribute, as in `target.user.domain_id`."""

    def __init__(self, name: str, domain_id: str | None) -> None:
        self.name = name
        self.domain_id = domain_id

    def policy_target(self) -> dict[str, object]:
        return {self.name: self.domain_id} if self.domain_id else {}


def new(kind: str) -> Callable[[Call], InDomain]:
    """For a route's `load`: the domain that the new user, group or role will be in.

    It is the one the body names, else that of a domain token, else the default domain.
    """

    def load(call: Call) -> InDomain:
        named = call.body[kind].get("domain_id")
        return InDomain(f"target.{kind}.domain_id", named or call.context.domain_id or DEFAULT_DOMAIN)

    return load


def listing(call: Call) -> InDomain:
    """For the `load` of a list: those with a domain token see that domain, whoever they are."""
    return InDomain("target.domain_id", call.context.domain_id)


def existing_domain(call: Call, domain_id: str) -> Project:
    """The domain that something is made in. Raises NotFound."""
    domain = call.db.get(Project, domain_id)
    if domain is None or not domain.is_domain:
        raise NotFound(f"Domain {domain_id} could not be found.")
    return domain
