"""What is answered about an identity provider's protocols."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class ProtocolLinks(SelfLink):
    identity_provider: str


class ProtocolReply(Shape):
    id: str
    mapping_id: str
    remote_id_attribute: str | None
    links: ProtocolLinks


PROTOCOL, PROTOCOLS = one("protocol", ProtocolReply), many("protocols", ProtocolReply)
