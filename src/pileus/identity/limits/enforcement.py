"""What the limit of one project means for those below it: the enforcement models."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from pileus.identity.limits.models import Limit
from pileus.identity.projects.models import Project, ProjectAncestor
from pileus.identity.registered_limits.models import RegisteredLimit
from pileus.identity.settings import IdentitySettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Forbidden
from pileus.kernel.quotas import UNLIMITED


class Model(NamedTuple):
    """`check` raises Forbidden for a limit that can not stand beside the others; `levels`: of projects below a domain, None for any."""

    name: str
    description: str
    levels: int | None
    check: Callable[[Session, Limit], None]


def of(cloud: Cloud) -> Model:
    return MODELS[cloud.settings(IdentitySettings).limit_enforcement]


def exceeds(one: int, other: int) -> bool:
    return other != UNLIMITED and (one == UNLIMITED or one > other)


def lesser(one: int, other: int) -> int:
    return other if exceeds(one, other) else one


def _check_nothing(db: Session, limit: Limit) -> None:
    """Each project for itself."""


def _check_tree(db: Session, limit: Limit) -> None:
    """Not above the limit over it, not below one under it.

    Over it is the nearest project or domain above that has a limit; a parent project without one has the default.
    """
    same = RegisteredLimit.id == limit.registered_limit_id
    db.execute(select(RegisteredLimit.id).where(same).with_for_update())  # changes of one resource wait for each other
    own = and_(Limit.holder_id == ProjectAncestor.ancestor_id, Limit.registered_limit_id == limit.registered_limit_id)
    over = (
        select(Project.id, Project.is_domain, Limit.resource_limit)
        .select_from(ProjectAncestor)
        .join(Project, Project.id == ProjectAncestor.ancestor_id)
        .outerjoin(Limit, own)
        .where(ProjectAncestor.project_id == limit.holder_id)
        .order_by(ProjectAncestor.distance)
    )
    above = db.execute(over).all()
    bound = next(((row.id, row.resource_limit) for row in above if row.resource_limit is not None), None)
    if bound is None and above and not above[0].is_domain:
        bound = above[0].id, limit.registered.default_limit
    name, amount = limit.registered.resource_name, limit.resource_limit
    if bound is not None and exceeds(amount, bound[1]):
        raise Forbidden(f"{limit.holder_id} can not have a limit of {amount} {name}: {bound[0]} above has {bound[1]}.")
    under = (
        select(Limit.holder_id, Limit.resource_limit)
        .join(ProjectAncestor, ProjectAncestor.project_id == Limit.holder_id)
        .where(ProjectAncestor.ancestor_id == limit.holder_id, Limit.registered_limit_id == limit.registered_limit_id)
    )
    for holder_id, held in db.execute(under):
        if exceeds(held, amount):
            raise Forbidden(f"{limit.holder_id} can not have a limit of {amount} {name}: {holder_id} below has {held}.")


MODELS = {
    model.name: model
    for model in (
        Model(
            "flat", "Each project for itself: its place in the tree means nothing to its limits.", None, _check_nothing
        ),
        Model(
            "strict_two_level",
            "No project has a higher limit than the one above it, which bounds what all below it use together. "
            "Projects are nested at most two deep.",
            2,
            _check_tree,
        ),
    )
}
