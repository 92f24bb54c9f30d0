"""The rows that a new cloud starts with. Running it again adds what is missing and changes nothing else."""

from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.assignments.models import SYSTEM, Assignment, TargetKind
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import Password
from pileus.identity.projects.models import ROOT, Project, ProjectAncestor
from pileus.identity.roles.models import ImpliedRole, Role
from pileus.identity.tokens.providers import PROVIDERS
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud

DEFAULT_DOMAIN = "default"
SERVICE_PROJECT = "service"
SERVICE_USER = "pileus"  # has no password: only the cloud itself makes tokens for it
CHAIN = ("admin", "manager", "member", "reader")


def seed(cloud: Cloud) -> None:
    for kind in PROVIDERS.values():
        kind.create(cloud.config.state / kind.folder)
    with cloud.db.writing() as db:
        if db.get(Project, DEFAULT_DOMAIN) is None:
            about = "Where users and projects are that name no other domain"
            db.add(Project(id=DEFAULT_DOMAIN, domain_id=ROOT, name="Default", is_domain=True, description=about))
            db.flush()
        roles = {name: role(db, name) for name in (*CHAIN, "service")}
        for prior, implied in pairwise(CHAIN):
            db.merge(ImpliedRole(prior_role_id=roles[prior], implied_role_id=roles[implied]))
        projects = {name: project(db, name) for name in ("admin", "demo", SERVICE_PROJECT)}
        hasher = cloud.part(Hasher)
        admin = user(db, "admin", projects["admin"], hasher, cloud.config.secret("admin_password"))
        demo = user(db, "demo", projects["demo"], hasher, cloud.config.secret("demo_password"))
        service = user(db, SERVICE_USER, None, hasher, None)
        grant(db, admin, "system", SYSTEM, roles["admin"])
        grant(db, admin, "domain", DEFAULT_DOMAIN, roles["admin"])
        grant(db, admin, "project", projects["admin"], roles["admin"])
        grant(db, admin, "project", projects["demo"], roles["admin"])
        grant(db, demo, "project", projects["demo"], roles["member"])
        grant(db, service, "project", projects[SERVICE_PROJECT], roles["admin"])
        grant(db, service, "project", projects[SERVICE_PROJECT], roles["service"])


def role(db: Session, name: str) -> str:
    found = db.scalar(select(Role.id).where(Role.domain_id == "", Role.name == name))
    if found is None:
        role = Role(name=name)
        db.add(role)
        db.flush()
        found = role.id
    return found


def project(db: Session, name: str) -> str:
    found = db.scalar(select(Project.id).where(Project.domain_id == DEFAULT_DOMAIN, Project.name == name))
    if found is None:
        project = Project(domain_id=DEFAULT_DOMAIN, parent_id=DEFAULT_DOMAIN, name=name)
        db.add(project)
        db.flush()
        db.add(ProjectAncestor(project_id=project.id, ancestor_id=DEFAULT_DOMAIN, distance=1))
        found = project.id
    return found


def user(db: Session, name: str, project_id: str | None, hasher: Hasher, password: str | None) -> str:
    found = db.scalar(select(User.id).where(User.domain_id == DEFAULT_DOMAIN, User.name == name))
    if found is None:
        user = User(domain_id=DEFAULT_DOMAIN, name=name, default_project_id=project_id)
        db.add(user)
        db.flush()
        if password is not None:
            db.add(Password(user_id=user.id, hash=hasher.hash(password)))
        found = user.id
    return found


def grant(db: Session, user_id: str, kind: TargetKind, target_id: str, role_id: str) -> None:
    db.merge(
        Assignment(
            actor_id=user_id, target_id=target_id, role_id=role_id, inherited=False, actor_kind="user", target_kind=kind
        )
    )
