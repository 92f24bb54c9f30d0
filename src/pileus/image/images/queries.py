"""Which images a caller may see, and finding one."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session, lazyload

from pileus.image.images.models import PENDING_DELETE, Image
from pileus.image.members.models import ImageMember
from pileus.kernel.context import Context
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call


@dataclass(frozen=True)
class Seen:
    """An image that the caller may see; `member_id` is the caller's project where the image is shared with it."""

    image: Image
    member_id: str | None = None

    def policy_target(self) -> dict[str, object]:
        """The names that upstream's rules use. What is None is left out, so that it equals nobody's None."""
        owner = self.image.owner
        target = {"project_id": owner, "owner": owner, "member_id": self.member_id, "visibility": self.image.visibility}
        return {name: value for name, value in target.items() if value is not None}


def shared_with(project_id: str | None, statuses: tuple[str, ...] = ()) -> ColumnElement[bool]:
    """The image is shared with that project, which answered with one of `statuses` (none given: whatever it answered)."""
    membership = [ImageMember.image_id == Image.id, ImageMember.member == project_id]
    if statuses:
        membership.append(ImageMember.status.in_(statuses))
    return and_(Image.visibility == "shared", exists().where(*membership))


def visible(context: Context) -> ColumnElement[bool]:
    """Images that the caller may look at by their id."""
    return and_(Image.status != PENDING_DELETE, _open_to(context))


def _open_to(context: Context) -> ColumnElement[bool]:
    if context.is_admin:
        return true()
    for_all = Image.visibility.in_(("public", "community"))
    if context.project_id is None:
        return for_all  # who has no project owns nothing: an image without an owner is not theirs
    return or_(for_all, Image.owner == context.project_id, shared_with(context.project_id))


def find(db: Session, context: Context, image_id: str, *, lock: bool = False, tags: bool = True) -> Image | None:
    """None for what is not there or not to be seen. Without `tags` a query less."""
    query = select(Image).where(Image.id == image_id, visible(context))
    if not tags:
        query = query.options(lazyload(Image.tag_rows))
    image = db.scalar(query.with_for_update() if lock else query)
    return image if image is not None and image.id == image_id else None  # MariaDB finds other spellings too


def see(db: Session, context: Context, image_id: str, *, lock: bool = False) -> Seen:
    """Raises NotFound for what is not there and for what the caller may not see alike.

    `lock` keeps other writers away until the transaction ends: an upload checks its bytes against the format that was set.
    """
    image = find(db, context, image_id, lock=lock)
    if image is None:
        raise NotFound(f"No image found with ID {image_id}")
    project = context.project_id
    shared = image.visibility == "shared" and project is not None and project != image.owner
    member = shared and db.get(ImageMember, (image.id, project)) is not None
    return Seen(image, project if member else None)


def load(call: Call, image_id: str) -> Seen:
    return see(call.db, call.context, image_id, lock=call.route.writes)
