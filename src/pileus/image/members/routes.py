"""/v2/images/{image_id}/members: sharing an image with single projects."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import func, select

from pileus.image.images.models import Image
from pileus.image.images.queries import Seen, load
from pileus.image.members.models import ImageMember
from pileus.image.settings import ImageSettings
from pileus.kernel import clock
from pileus.kernel.errors import Conflict, Forbidden, NotFound, TooLarge
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import OpenShape

PATH = "/v2/images/{image_id}/members"


class NewMember(OpenShape):
    member: Annotated[str, Meta(min_length=1, max_length=64)]


class Answer(OpenShape):
    status: Literal["pending", "accepted", "rejected"]


@dataclass(frozen=True)
class SeenMember:
    """A sharing that the caller may see. The rules compare the caller's project with `member_id`."""

    image: Image
    member: ImageMember

    def policy_target(self) -> dict[str, object]:
        return Seen(self.image, self.member.member).policy_target()


def load_member(call: Call, image_id: str, member_id: str) -> SeenMember:
    seen = load(call, image_id)
    member = call.db.get(ImageMember, (image_id, member_id))
    theirs = call.context.sees_project(seen.image.owner) or call.context.project_id == member_id
    if member is None or not theirs:
        raise NotFound(f"Image {image_id} is not shared with {member_id}")
    return SeenMember(seen.image, member)


def view(member: ImageMember) -> Json:
    return {
        "image_id": member.image_id,
        "member_id": member.member,
        "status": member.status,
        "created_at": clock.iso(member.created_at),
        "updated_at": clock.iso(member.updated_at),
        "schema": "/v2/schemas/member",
    }


def index(call: Call, seen: Seen) -> Json:
    _need_shared(seen.image)
    query = select(ImageMember).where(ImageMember.image_id == seen.image.id)
    if not call.context.sees_project(seen.image.owner):
        query = query.where(ImageMember.member == call.context.project_id)
    members = call.db.scalars(query.order_by(ImageMember.created_at, ImageMember.member))
    return {"members": [view(member) for member in members], "schema": "/v2/schemas/members"}


def create(call: Call, seen: Seen, body: NewMember) -> Json:
    _need_shared(seen.image)
    if call.db.get(ImageMember, (seen.image.id, body.member)) is not None:
        raise Conflict(f"Image {seen.image.id} is shared with {body.member} already.")
    most = call.cloud.settings(ImageSettings).max_members
    have = select(func.count()).select_from(ImageMember).where(ImageMember.image_id == seen.image.id)
    if (call.db.scalar(have) or 0) >= most:
        raise TooLarge(f"An image may be shared with {most} projects.")
    member = ImageMember(image_id=seen.image.id, member=body.member)
    call.db.add(member)
    call.db.flush()
    return view(member)


def show(call: Call, seen: SeenMember) -> Json:
    return view(seen.member)


def update(call: Call, seen: SeenMember, body: Answer) -> Json:
    _need_shared(seen.image)
    seen.member.status = body.status
    seen.member.updated_at = clock.now()
    return view(seen.member)


def destroy(call: Call, seen: SeenMember) -> None:
    _need_shared(seen.image)
    call.db.delete(seen.member)


def _need_shared(image: Image) -> None:
    if image.visibility != "shared":
        raise Forbidden(f"Only shared images have members; image {image.id} is {image.visibility}.")


ROUTES = (
    Route("GET", PATH, index, "get_members", load=load),
    Route("POST", PATH, create, "add_member", load=load),
    Route("GET", f"{PATH}/{{member_id}}", show, "get_member", load=load_member),
    Route("PUT", f"{PATH}/{{member_id}}", update, "modify_member", load=load_member),
    Route("DELETE", f"{PATH}/{{member_id}}", destroy, "delete_member", load=load_member, status=204),
)
