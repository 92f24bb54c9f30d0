"""The compare-and-swap that keeps two writers of one provider apart."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from pileus.placement.errors import concurrent
from pileus.placement.providers.models import Provider


def advance(db: Session, provider: Provider, seen: int | None) -> None:
    """Raise the provider's generation by one; a Conflict when it is not the one that the caller saw (None: any will do).

    The row stays locked until the transaction ends: what is read of the provider after this holds.
    """
    swap = update(Provider).where(Provider.id == provider.id)
    if seen is not None:
        swap = swap.where(Provider.generation == seen)
    result = db.execute(swap.values(generation=Provider.generation + 1).execution_options(synchronize_session=False))
    if getattr(result, "rowcount", 0) != 1:
        raise concurrent(
            f"Resource provider {provider.id} is at generation {provider.generation}, not {seen}. "
            "Please update the generation and try again."
        )
    db.refresh(provider)
