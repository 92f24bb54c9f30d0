"""What a namespace holds under names of its own: objects, properties, tags. Here is all that they share."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from pileus.image.metadefs import names
from pileus.image.metadefs.namespaces.models import Namespace
from pileus.image.metadefs.namespaces.queries import load
from pileus.kernel import clock
from pileus.kernel.errors import Conflict, Forbidden, NotFound
from pileus.kernel.http.call import Call

FEW = 100  # names that one query asks for; databases bound the values in a statement


class Content:
    """The columns. `KIND` is the word for it in messages."""

    KIND = "thing"

    id: Mapped[int] = mapped_column(primary_key=True)
    namespace_id: Mapped[int] = mapped_column(ForeignKey("metadef_namespaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(names.COLUMN)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[UniqueConstraint, ...]:
        return (UniqueConstraint("namespace_id", "name"),)


C = TypeVar("C", bound=Content)


@dataclass(frozen=True)
class Held(Generic[C]):
    """A content and its namespace, whose rules it is under."""

    namespace: Namespace
    content: C

    def policy_target(self) -> dict[str, object]:
        return self.namespace.policy_target()


def all_of(db: Session, namespace: Namespace, kind: type[C]) -> Sequence[C]:
    """In the order in which they were made."""
    return db.scalars(select(kind).where(kind.namespace_id == namespace.id).order_by(kind.id)).all()


def find(call: Call, kind: type[C], namespace_name: str, name: str) -> Held[C]:
    """Raises NotFound."""
    namespace = load(call, namespace_name)
    content = call.db.scalar(select(kind).where(kind.namespace_id == namespace.id, kind.name == name))
    if content is None:
        raise NotFound(f"Namespace {namespace.namespace} has no {kind.KIND} {name}.")
    return Held(namespace, content)


def check_new(db: Session, kind: type[C], namespace: Namespace, wanted: Iterable[str]) -> None:
    """Raises Conflict for names that are taken, or wanted twice."""
    times_asked = Counter(wanted)
    twice = [name for name, times in times_asked.items() if times > 1]
    if twice:
        raise Conflict(f"The request names the {kind.KIND} {twice[0]} more than once.")
    query = select(kind.name).where(kind.namespace_id == namespace.id)
    if len(times_asked) <= FEW:
        query = query.where(kind.name.in_(times_asked))
    taken = next((name for name in db.scalars(query) if name in times_asked), None)
    if taken is not None:
        raise Conflict(f"Namespace {namespace.namespace} has a {kind.KIND} {taken} already.")


def rename(db: Session, held: Held[C], name: str) -> None:
    """Also for a name that stays. Notes the time of the change."""
    if name != held.content.name:
        check_new(db, type(held.content), held.namespace, [names.check(name, "$.name")])
        held.content.name = name
    held.content.updated_at = clock.now()


def remove(db: Session, held: Held[C]) -> None:
    check_unprotected(held.namespace)
    db.delete(held.content)


def clear(db: Session, kind: type[C], namespace: Namespace) -> None:
    check_unprotected(namespace)
    db.execute(delete(kind).where(kind.namespace_id == namespace.id))


def check_unprotected(namespace: Namespace) -> None:
    if namespace.protected:
        raise Forbidden(
            f"Namespace {namespace.namespace} is protected: nothing of it can be deleted until protected is false."
        )


def times(content: Any) -> dict[str, str | None]:
    return {"created_at": clock.iso(content.created_at), "updated_at": clock.iso(content.updated_at)}
