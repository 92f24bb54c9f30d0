"""Tags: words that resources may be given."""

from pileus.image.metadefs.contents import Content
from pileus.kernel.db import Base


class MetadefTag(Content, Base):
    __tablename__ = "metadef_tags"
    KIND = "tag"
