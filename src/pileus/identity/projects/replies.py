"""What is answered about projects, their tags and domains."""

from pileus.identity.options import ResourceOptions
from pileus.identity.replies import Links, SelfLink, many, one
from pileus.kernel.http.schema import OpenShape


class DomainReply(OpenShape):
    id: str
    name: str
    description: str | None
    enabled: bool
    options: ResourceOptions
    links: SelfLink


class ProjectReply(DomainReply):
    domain_id: str | None
    parent_id: str | None
    is_domain: bool
    tags: list[str]


class TagsReply(Links):
    tags: list[str]


PROJECT, PROJECTS = one("project", ProjectReply), many("projects", ProjectReply)
DOMAIN, DOMAINS = one("domain", DomainReply), many("domains", DomainReply)
