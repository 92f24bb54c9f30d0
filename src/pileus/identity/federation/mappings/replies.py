"""What is answered about mappings."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class MappingReply(Shape):
    id: str
    rules: list[dict[str, object]]
    schema_version: str
    links: SelfLink


MAPPING, MAPPINGS = one("mapping", MappingReply), many("mappings", MappingReply)
