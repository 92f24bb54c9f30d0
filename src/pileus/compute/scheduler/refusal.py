"""Why a host does not do: what everybody may know, and what only an administrator may."""

from typing import NamedTuple


class Refusal(NamedTuple):
    """`why` says nothing of the host that another project could be known by; `fact` does."""

    why: str
    fact: str = ""

    def __str__(self) -> str:
        return f"{self.why}: {self.fact}" if self.fact else self.why
