"""What passwords must look like, for everyone who may have to choose one. Set for the whole cloud; told of the default domain."""

from pileus.identity.domain_config import replies
from pileus.identity.domains.routes import domain
from pileus.identity.projects.models import Project
from pileus.identity.seeds import DEFAULT_DOMAIN
from pileus.identity.settings import IdentitySettings
from pileus.kernel.errors import Forbidden
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def show(call: Call, target: Project) -> Json:
    return {"config": {"security_compliance": _rules(call, target)}}


def show_option(call: Call, target: Project, option: str) -> Json:
    rules = _rules(call, target)
    if option not in rules:
        raise Forbidden(f"Option {option!r} of security_compliance is not shown; shown are {', '.join(rules)}.")
    return {"config": {option: rules[option]}}


def _rules(call: Call, target: Project) -> Json:
    if target.id != DEFAULT_DOMAIN:
        raise Forbidden(f"Security compliance is that of the whole cloud: ask for it in domain {DEFAULT_DOMAIN!r}.")
    settings = call.cloud.settings(IdentitySettings)
    return {
        "password_regex": settings.password_regex or None,
        "password_regex_description": settings.password_regex_description or None,
    }


_GROUP = "/v3/domains/{domain_id}/config/security_compliance"
ROUTES = (
    Route("GET", _GROUP, show, "identity:get_security_compliance_domain_config", load=domain, reply=replies.GROUPS),
    Route(
        "GET",
        f"{_GROUP}/{{option}}",
        show_option,
        "identity:get_security_compliance_domain_config",
        load=domain,
        reply=replies.OPTION,
    ),
)
