"""Giving each of several wishes something of its own."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def match(options: Sequence[Sequence[T]]) -> list[T] | None:
    """One option for each wish, no option twice, the earlier ones of a wish preferred; None when that cannot be.

    Augmenting paths: wishes x options steps for each wish at worst.
    """
    holder: dict[T, int] = {}

    def give(wish: int, seen: set[T]) -> bool:
        free = next((option for option in options[wish] if option not in holder), None)
        if free is not None:
            holder[free] = wish
            return True
        for option in options[wish]:
            if option not in seen:
                seen.add(option)
                if give(holder[option], seen):
                    holder[option] = wish
                    return True
        return False

    for wish in range(len(options)):
        if not give(wish, set()):
            return None
    given = {wish: option for option, wish in holder.items()}
    return [given[wish] for wish in range(len(options))]
