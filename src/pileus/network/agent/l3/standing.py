"""What was made true and last seen so: lets an unchanged item cost nothing, yet every item is looked at again in turn."""

from typing import Generic, TypeVar

Wanted = TypeVar("Wanted")


class Standing(Generic[Wanted]):
    """Items by id, the one verified longest ago first."""

    def __init__(self) -> None:
        self._items: dict[str, Wanted] = {}
        self._turn: str | None = None

    def next_turn(self) -> None:
        """One item, the one that waited longest, counts as unknown until it is recorded again."""
        self._turn = next(iter(self._items), None)

    def holds(self, id: str, wanted: Wanted) -> bool:
        return id != self._turn and self._items.get(id) == wanted

    def get(self, id: str) -> Wanted | None:
        return self._items.get(id)

    def record(self, id: str, wanted: Wanted) -> None:
        self._items.pop(id, None)
        self._items[id] = wanted

    def forget(self, id: str) -> None:
        self._items.pop(id, None)
