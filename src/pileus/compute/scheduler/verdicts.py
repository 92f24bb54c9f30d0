"""Refusals of many hosts, told in few words: grouped by what they lack, with some hosts as examples."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pileus.compute.scheduler.refusal import Refusal

REASONS, EXAMPLES = 8, 5  # that a summary and an explanation tell of; the rest is counted


class Verdict(NamedTuple):
    """One host's refusal: which check, and why."""

    host: str
    check: str
    refusal: Refusal

    def __str__(self) -> str:
        return f"{self.host}: {self.refusal} ({self.check})"

    @property
    def reason(self) -> str:
        """What everybody may know."""
        return f"{self.refusal.why} ({self.check})"


def summarise(verdicts: Sequence[Verdict]) -> str:
    """For everybody: names no host and no other project."""
    if not verdicts:
        return "No valid host was found. There are no hosts."
    counts = Counter(verdict.reason for verdict in verdicts).most_common()
    told = [f"{count} {reason}" for reason, count in counts[:REASONS]]
    if rest := sum(count for _, count in counts[REASONS:]):
        told.append(f"{rest} for other reasons")
    return f"No valid host was found. {_hosts(len(verdicts))}: " + "; ".join(told)


def details(verdicts: Sequence[Verdict]) -> str:
    """For administrators, a line a host; of many hosts that lack the same some examples, and how many more there are."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.reason, []).append(verdict)
    ranked = sorted(groups.values(), key=len, reverse=True)
    lines = []
    for group in ranked[:REASONS]:
        lines += [str(verdict) for verdict in group[:EXAMPLES]]
        if more := len(group) - EXAMPLES:
            lines += [f"{_hosts(more)} more: {group[0].reason}"] if more > 0 else []
    if rest := sum(len(group) for group in ranked[REASONS:]):
        lines.append(f"{_hosts(rest)} more, for {len(ranked) - REASONS} other reasons")
    return "\n".join(lines)


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"
