"""What scoped tokens say of service providers: the same for all of them, so it is read once a second at most."""

import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.federation.service_providers.models import ServiceProvider
from pileus.kernel.http.call import Json

FRESH = 1.0  # seconds


class Offers:
    def __init__(self) -> None:
        self._until = 0.0
        self._known: list[Json] = []

    def now(self, db: Session) -> list[Json]:
        """The clouds that a token of this one can be used at: those enabled."""
        if time.monotonic() >= self._until:
            query = select(ServiceProvider).where(ServiceProvider.enabled).order_by(ServiceProvider.id)
            self._known = [{"id": row.id, "auth_url": row.auth_url, "sp_url": row.sp_url} for row in db.scalars(query)]
            self._until = time.monotonic() + FRESH
        return self._known

    def forget(self) -> None:
        self._until = 0.0
