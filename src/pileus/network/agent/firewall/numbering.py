"""Small numbers for ids: conntrack zones of networks, marks of ports."""

from collections.abc import Collection


class Numbering:
    """Gives each id a number in the range that no other id has, and keeps it until the id is released."""

    def __init__(self, numbers: range, next_number: int, taken: dict[str, int]) -> None:
        self.numbers = numbers
        self._next = next_number
        self._taken = dict(taken)
        self._busy = set(taken.values())

    def __call__(self, name: str) -> int:
        number = self._taken.get(name)
        if number is None:
            number = self._taken[name] = self._free()
            self._busy.add(number)
        return number

    def release(self, kept: Collection[str]) -> None:
        """Forget all ids but these. Their numbers come back only after all others had their turn."""
        self._taken = {name: number for name, number in self._taken.items() if name in kept}
        self._busy = set(self._taken.values())

    def used(self) -> set[int]:
        return set(self._busy)

    def _free(self) -> int:
        for _ in range(len(self.numbers)):
            number = self.numbers[self._next % len(self.numbers)]
            self._next += 1
            if number not in self._busy:
                return number
        raise OverflowError(f"all {len(self.numbers)} numbers are in use")
