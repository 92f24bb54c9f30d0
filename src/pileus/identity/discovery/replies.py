"""What version documents look like."""

from pileus.identity.replies import one
from pileus.kernel.http.schema import OpenShape, Shape


class VersionReply(OpenShape):
    id: str
    status: str
    links: list[dict[str, str]]


class Values(Shape):
    values: list[VersionReply]


VERSION, VERSIONS = one("version", VersionReply), one("versions", Values)
