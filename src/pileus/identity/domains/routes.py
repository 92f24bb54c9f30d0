"""Domains: each holds its own users, groups and projects. A domain is a row of `projects`."""

from sqlalchemy import select

from pileus.identity import options, placement
from pileus.identity.envelope import collection, extras
from pileus.identity.lookup import missing
from pileus.identity.placement import InDomain
from pileus.identity.projects import actions, replies
from pileus.identity.projects.listing import DOMAINS
from pileus.identity.projects.models import Project
from pileus.identity.projects.schemas import DomainChange, DomainChangeBody, NewDomain, NewDomainBody
from pileus.identity.projects.views import domain_view
from pileus.identity.tokens import revocation
from pileus.kernel.errors import Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def domain(call: Call, domain_id: str) -> Project:
    row = call.db.get(Project, domain_id)
    if row is None or not row.is_domain:
        raise missing(call, "Domain", domain_id)
    return row


def index(call: Call, target: InDomain) -> Json:
    query = select(Project).where(Project.is_domain)
    if target.domain_id is not None and not call.context.is_admin:
        query = query.where(Project.id == target.domain_id)
    page = DOMAINS.page(call, query)
    link = DOMAINS.next_link(call, page, "/v3/domains")
    return collection(call, "/v3/domains", "domains", [domain_view(call, row) for row in page.items], link)


def create(call: Call, body: NewDomainBody) -> Json:
    given = body.domain
    made = actions.new_domain(given.name, description=given.description or "", enabled=given.enabled)
    if isinstance(given.explicit_domain_id, str):
        if call.db.get(Project, given.explicit_domain_id) is not None:
            raise Conflict(f"The id {given.explicit_domain_id} is taken.")
        made.id = given.explicit_domain_id
    made.options = options.merged({}, given.options)
    made.extra = extras(call.body["domain"], NewDomain)
    actions.add(call.db, made, None)
    actions.set_tags(call.db, made, given.tags)
    return {"domain": domain_view(call, made)}


def show(call: Call, target: Project) -> Json:
    return {"domain": domain_view(call, target)}


def update(call: Call, target: Project, body: DomainChangeBody) -> Json:
    actions.change(call.db, target, body.domain, extras(call.body["domain"], DomainChange))
    call.db.flush()
    revocation.look_again(call)
    return {"domain": domain_view(call, target)}


def destroy(call: Call, target: Project) -> None:
    actions.remove_domain(call.db, target)
    revocation.look_again(call)


ROUTES = (
    Route(
        "GET",
        "/v3/domains",
        index,
        "identity:list_domains",
        load=placement.listing,
        reply=replies.DOMAINS,
        query=DOMAINS,
    ),
    Route("POST", "/v3/domains", create, "identity:create_domain", status=201, reply=replies.DOMAIN),
    Route("GET", "/v3/domains/{domain_id}", show, "identity:get_domain", load=domain, reply=replies.DOMAIN),
    Route("PATCH", "/v3/domains/{domain_id}", update, "identity:update_domain", load=domain, reply=replies.DOMAIN),
    Route("DELETE", "/v3/domains/{domain_id}", destroy, "identity:delete_domain", load=domain, status=204),
)
