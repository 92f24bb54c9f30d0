"""Secret options at rest: encrypted with keys of their own in the state folder.

Not the token keys: those are replaced every week, and what was sealed with an old one could not be read any more.
"""

from cryptography.fernet import InvalidToken
from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.domain_config.models import DomainOption
from pileus.identity.domain_config.options import SECRET
from pileus.identity.tokens import keys
from pileus.identity.tokens.keys import KeyRing
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Unavailable


class OptionSealer:
    def __init__(self, cloud: Cloud) -> None:
        self._folder = cloud.config.state / "domain-keys"
        self._ring = KeyRing(self._folder)

    def seal(self, value: str) -> str:
        keys.create(self._folder)
        return self._ring.fernet().encrypt(value.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises Unavailable when the key is not in the folder."""
        try:
            return self._ring.fernet().decrypt(sealed.encode()).decode()
        except (FileNotFoundError, InvalidToken):
            raise Unavailable("A secret of the domain's configuration can not be read: set it anew.") from None

    def rotate(self, db: Session) -> int:
        """A new key; every secret is sealed anew with it in this transaction. How many there were."""
        keys.create(self._folder)
        keys.rotate(self._folder, settled=0)
        rows = [row for row in db.scalars(select(DomainOption)) if (row.section, row.name) in SECRET and row.value]
        ring = KeyRing(self._folder)
        for row in rows:
            row.value = ring.fernet().rotate(row.value.encode()).decode()
        return len(rows)
