"""What is answered about assignments."""

from typing import Literal

from msgspec import field

from pileus.identity.replies import Reference, many
from pileus.kernel.http.schema import UNSET, Shape, Unset


class AssignmentLinks(Shape):
    assignment: str
    membership: str | Unset = UNSET
    prior_role: str | Unset = UNSET


class AllOfIt(Shape):
    all: bool


class AssignmentScope(Shape):
    project: Reference | Unset = UNSET
    domain: Reference | Unset = UNSET
    system: AllOfIt | Unset = UNSET
    inherited_to: Literal["projects"] | Unset = field(name="OS-INHERIT:inherited_to", default=UNSET)


class AssignmentReply(Shape):
    role: Reference
    scope: AssignmentScope
    links: AssignmentLinks
    user: Reference | Unset = UNSET
    group: Reference | Unset = UNSET


ASSIGNMENTS = many("role_assignments", AssignmentReply)
