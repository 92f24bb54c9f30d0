"""The JSON of role assignments."""

from sqlalchemy import select

from pileus.identity.assignments.listing import Line, Names, Page
from pileus.identity.projects.models import ROOT, Project
from pileus.identity.roles.inference import RoleGraph
from pileus.kernel.http.call import Call, Json


def views(call: Call, page: Page, graph: RoleGraph, *, with_names: bool) -> list[Json]:
    names = _names(call, page, graph) if with_names else None
    return [_view(call, line, names) for line in page.lines]


def _view(call: Call, line: Line, names: Names | None) -> Json:
    scope: Json
    if line.target_kind == "system":
        scope, where = {"system": {"all": True}}, "/v3/system"
    else:
        scope = {line.target_kind: _named(line.target_id, names, plain=line.target_kind == "domain")}
        where = f"/v3/{line.target_kind}s/{line.target_id}"
    ending = ""
    if line.inherited or line.given_target is not None:
        scope["OS-INHERIT:inherited_to"] = "projects"
        kind, identifier = line.given_target or (line.target_kind, line.target_id)
        where, ending = f"/v3/OS-INHERIT/{kind}s/{identifier}", "/inherited_to_projects"
    actor = f"groups/{line.group_id}" if line.group_id else f"{line.actor_kind}s/{line.actor_id}"
    self_link = f"{where}/{actor}/roles/{line.prior_role_id or line.role_id}{ending}"
    links = {"assignment": call.url(self_link)}
    if line.group_id:
        links["membership"] = call.url(f"/v3/groups/{line.group_id}/users/{line.actor_id}")
    if line.prior_role_id:
        links["prior_role"] = call.url(f"/v3/roles/{line.prior_role_id}/implies/{line.role_id}")
    return {
        "role": _named(line.role_id, names, plain=names is None or not names.get(line.role_id, ("", ""))[1]),
        line.actor_kind: _named(line.actor_id, names),
        "scope": scope,
        "links": links,
    }


def _named(identifier: str, names: Names | None, *, plain: bool = False) -> Json:
    if names is None:
        return {"id": identifier}
    name, domain_id = names.get(identifier, ("", ""))
    if plain:
        return {"id": identifier, "name": name}
    return {"id": identifier, "name": name, "domain": {"id": domain_id, "name": names.get(domain_id, ("", ""))[0]}}


def _names(call: Call, page: Page, graph: RoleGraph) -> Names:
    """Of everything that the lines mention, and of all domains."""
    domains = call.db.execute(select(Project.id, Project.name).where(Project.domain_id == ROOT))
    return {**{row.id: (row.name, ROOT) for row in domains}, **graph.roles, **page.names}
