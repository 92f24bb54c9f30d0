"""Where a federated user can go: projects and domains by roles of its own and of the groups that its login put it into."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased

from pileus.identity.assignments.models import Assignment
from pileus.identity.envelope import collection
from pileus.identity.projects import queries, replies
from pileus.identity.projects.models import Project, ProjectAncestor
from pileus.identity.projects.views import domain_view, views
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def groups(call: Call) -> Sequence[str]:
    """Those in the caller's token."""
    federation = call.cloud.part(TokenAuthenticator).payload(call.context).federation
    return federation.group_ids if federation else ()


def _actors(call: Call) -> ColumnElement[bool]:
    return or_(queries.actors(str(call.context.user_id)), Assignment.actor_id.in_(groups(call)))


def list_projects(call: Call) -> Json:
    mine, home = _actors(call), aliased(Project)
    granted = select(Assignment.target_id).where(mine, Assignment.inherited.is_(False))
    above = select(Assignment.target_id).where(mine, Assignment.inherited)
    below = select(ProjectAncestor.project_id).where(ProjectAncestor.ancestor_id.in_(above))
    query = (
        select(Project)
        .join(home, home.id == Project.domain_id)
        .where(Project.is_domain.is_(False), Project.enabled, home.enabled)
        .where(or_(Project.id.in_(granted), Project.id.in_(below)))
        .order_by(Project.name, Project.id)
    )
    return collection(call, "/v3/OS-FEDERATION/projects", "projects", views(call, call.db.scalars(query).all()))


def list_domains(call: Call) -> Json:
    granted = select(Assignment.target_id).where(_actors(call), Assignment.inherited.is_(False))
    query = select(Project).where(Project.is_domain, Project.enabled, Project.id.in_(granted)).order_by(Project.name)
    found = [domain_view(call, row) for row in call.db.scalars(query)]
    return collection(call, "/v3/OS-FEDERATION/domains", "domains", found)


ROUTES = (
    Route("GET", "/v3/OS-FEDERATION/projects", list_projects, "identity:get_auth_projects", reply=replies.PROJECTS),
    Route("GET", "/v3/OS-FEDERATION/domains", list_domains, "identity:get_auth_domains", reply=replies.DOMAINS),
)
