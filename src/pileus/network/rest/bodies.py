"""What all request bodies of this service have in common."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.schema import UNSET, Unset
from pileus.network.attributes import StandardAttributes
from pileus.network.errors import RevisionMismatch, invalid

S = TypeVar("S", bound=msgspec.Struct)
R = TypeVar("R")
LONGEST = 255


class Owned(Protocol):
    """A create body: whose it will be (`tenant_id` is the older name)."""

    @property
    def project_id(self) -> str | Unset: ...
    @property
    def tenant_id(self) -> str | Unset: ...


def owner(call: Call, body: Owned) -> str:
    """The project that will own it: the caller's own; administrators may name another."""
    asked = {value for value in (body.project_id, body.tenant_id) if isinstance(value, str)}
    if len(asked) > 1:
        raise BadRequest("'project_id' and 'tenant_id' have been specified with different values.")
    project_id = asked.pop() if asked else call.context.project_id or ""
    if project_id != (call.context.project_id or "") and not call.context.is_admin:
        message = "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges."
        raise BadRequest(message)
    if len(project_id) > 64:
        raise invalid("project_id may have 64 characters.")
    return project_id


def create_all(
    call: Call,
    singular: str,
    one: S | Unset,
    many: list[S] | Unset,
    make: Callable[[Call, S], R],
    show: Callable[[Call, Sequence[R]], list[Json]],
) -> Reply:
    """`{"port": …}` or in bulk `{"ports": […]}`, all or none."""
    plural = singular + "s"
    if isinstance(one, msgspec.Struct) and many is UNSET:
        return Reply({singular: show(call, [make(call, one)])[0]}, status=201)
    if isinstance(many, list) and one is UNSET and many:
        return Reply({plural: show(call, [make(call, item) for item in many])}, status=201)
    raise BadRequest(f"Resource body required: {singular!r}, or a list of them as {plural!r}.")


def given(body: msgspec.Struct) -> dict[str, object]:
    """The attributes that the body names, by their wire names."""
    fields = ((field.encode_name, getattr(body, field.name)) for field in msgspec.structs.fields(body))
    return {name: value for name, value in fields if value is not UNSET}


def check_create(
    call: Call, action: str, body: msgspec.Struct, target: Mapping[str, object], defaults: Mapping[str, object]
) -> None:
    """Each attribute with a rule of its own (`create_port:mac_address`) needs it, unless it is what it would be anyhow."""
    for name, value in given(body).items():
        rule = f"{action}:{name}"
        if rule in call.cloud.policy.names and (value != defaults[name] if name in defaults else bool(value)):
            call.enforce(rule, target)


def check_update(
    call: Call, action: str, body: msgspec.Struct, target: Mapping[str, object], free: Container[str] = ()
) -> None:
    """The same for changes; the caller has checked those in `free` itself."""
    for name in given(body):
        rule = f"{action}:{name}"
        if rule in call.cloud.policy.names and name not in free:
            call.enforce(rule, target)


def set_plain(row: object, body: msgspec.Struct, names: Iterable[str]) -> None:
    """Copy the attributes among `names` that the body has."""
    for name in names:
        value = getattr(body, name)
        if value is not UNSET:
            setattr(row, name, _text(name, value) if isinstance(value, str) else value)


def text(name: str, value: str | Unset, default: str = "") -> str:
    return _text(name, value) if isinstance(value, str) else default


def _text(name: str, value: str) -> str:
    if len(value) > LONGEST:
        raise invalid(f"'{value[:20]}…' exceeds maximum length of {LONGEST} for {name}.")
    if any(ord(character) < 32 or ord(character) == 127 for character in value) and name != "description":
        raise invalid(f"{name} must not hold control characters.")
    return value


def check_revision(call: Call, row: StandardAttributes) -> None:
    """`If-Match: revision_number=N` refuses to change anything but that revision."""
    header = call.request.headers.get("if-match")
    if header is None:
        return
    name, _, number = header.partition("=")
    if name.strip() != "revision_number" or not number.strip().isdecimal():
        raise BadRequest("If-Match must be of the form revision_number=N.")
    if int(number) != row.revision_number:
        raise RevisionMismatch(
            f"Constrained to {number.strip()}, but current revision is {row.revision_number}",
            kind="RevisionNumberConstraintFailed",
        )
