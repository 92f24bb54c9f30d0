"""A source of limits in which projects share: what the strict model of identity's limits gives to services."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from pileus.kernel.quotas import Bound, Quotas, StoredLimits


class Shared(StoredLimits):
    """`together`: what p1 and p2 may have of each resource between them, besides what each may have."""

    def __init__(self, **together: int) -> None:
        self.together = together

    def bounds(self, db: Session, quotas: Quotas, project_id: str, defaults: Mapping[str, int]) -> Sequence[Bound]:
        return [*super().bounds(db, quotas, project_id, defaults), Bound(("p1", "p2"), self.together)]
