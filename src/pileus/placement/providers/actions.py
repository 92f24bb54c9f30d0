"""Changes of resource providers and of the trees that they form."""

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.kernel.errors import BadRequest, Conflict
from pileus.placement.allocations.models import Allocation
from pileus.placement.errors import DUPLICATE_NAME, PROVIDER_HAS_CHILDREN, PROVIDER_IN_USE, concurrent
from pileus.placement.names import canonical
from pileus.placement.providers.models import Provider


def create(db: Session, name: str, provider_id: str | None, parent_id: str | None) -> Provider:
    made = Provider(id=canonical(provider_id, "uuid") if provider_id else new_id(), name=name)
    made.generation = 0
    made.root_id = made.id
    if db.scalar(select(exists().where(or_(Provider.name == name, Provider.id == made.id)))):
        raise Conflict(f"A resource provider named {name} or with uuid {made.id} exists already.", kind=DUPLICATE_NAME)
    if parent_id is not None:
        made.root_id, made.parent_id = _parent(db, made, parent_id)
    db.add(made)
    db.flush()
    return made


def rename(db: Session, provider: Provider, name: str) -> None:
    if name != provider.name:
        if db.scalar(select(exists().where(Provider.name == name))):
            raise Conflict(f"A resource provider named {name} exists already.", kind=DUPLICATE_NAME)
        provider.name = name
        db.flush()


def move(db: Session, provider: Provider, parent_id: str | None, *, freely: bool) -> None:
    """Hang the provider, with all below it, under another parent (None: a root of its own).

    Unless `freely`, only a root can be moved: leaving a parent came with microversion 1.37.
    """
    wanted = canonical(parent_id, "parent_provider_uuid") if parent_id is not None else None
    if wanted == provider.parent_id:
        return
    if provider.parent_id is not None and not freely:
        raise BadRequest(f"Resource provider {provider.id} has a parent already; moving it needs microversion 1.37.")
    _hold(db, {provider.id} | ({wanted} if wanted is not None else set()))
    root_id, below = provider.id, _below(db, provider)
    if wanted is not None:
        if wanted in below:
            raise BadRequest(f"Resource provider {wanted} is below {provider.id}: it can not be its parent.")
        root_id, _ = _parent(db, provider, wanted)
    provider.parent_id = wanted
    db.flush()
    moved = update(Provider).where(Provider.id.in_(below | {provider.id})).values(root_id=root_id)
    db.execute(moved.execution_options(synchronize_session=False))
    db.refresh(provider)


def remove(db: Session, provider: Provider) -> None:
    db.refresh(provider, with_for_update=True)  # nobody claims of it, or hangs something below it, from here on
    if db.scalar(select(exists().where(Provider.parent_id == provider.id))):
        raise Conflict(
            f"Resource provider {provider.id} has children; delete or move them first.", kind=PROVIDER_HAS_CHILDREN
        )
    if db.scalar(select(exists().where(Allocation.provider_id == provider.id))):
        raise Conflict(f"Resource provider {provider.id} has allocations; it is in use.", kind=PROVIDER_IN_USE)
    db.execute(delete(Provider).where(Provider.id == provider.id))  # what hangs on it goes by cascade


def _parent(db: Session, provider: Provider, parent_id: str) -> tuple[str, str]:
    """(root, parent) below that parent."""
    wanted = canonical(parent_id, "parent_provider_uuid")
    if wanted == provider.id:
        raise BadRequest("A resource provider can not be its own parent.")
    parent = db.get(Provider, wanted, with_for_update=True)  # its root stays the same until this is done
    if parent is None:
        raise BadRequest(f"Parent resource provider {wanted} does not exist.")
    return parent.root_id, parent.id


def _hold(db: Session, ids: set[str]) -> None:
    """Lock the whole trees of these providers, so that two moves at once can not make a circle."""
    roots = set(db.scalars(select(Provider.root_id).where(Provider.id.in_(ids))))
    trees = select(Provider).where(Provider.root_id.in_(roots)).order_by(Provider.id).with_for_update()
    held = db.scalars(trees.execution_options(populate_existing=True)).all()
    known = set(db.scalars(select(Provider.id).where(Provider.id.in_(ids))))
    if not known <= {provider.id for provider in held}:
        raise concurrent("One of the trees was changed meanwhile: read the providers again.")


def _below(db: Session, provider: Provider) -> set[str]:
    """All descendants, in one query: a tree's rows share their root."""
    children: dict[str | None, list[str]] = {}
    for row in db.execute(select(Provider.id, Provider.parent_id).where(Provider.root_id == provider.root_id)):
        children.setdefault(row.parent_id, []).append(row.id)
    found: set[str] = set()
    front = [provider.id]
    while front:
        front = [child for parent in front for child in children.get(parent, [])]
        found.update(front)
    return found
