"""What became of each test, read from the lines that tempest prints."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

PASSED, FAILED, SKIPPED, NOT_RUN = OUTCOMES = ("passed", "failed", "skipped", "not run")
_WORDS = {"ok": PASSED, "FAILED": FAILED, "SKIPPED": SKIPPED}
_RESULT = re.compile(
    r"^\{\d+\} (?P<test>.+?)(?: \[(?P<seconds>[\d.]*)s?\])? \.\.\. (?P<word>ok|FAILED|SKIPPED)(?:: (?P<why>.*))?$"
)
_CLASS = re.compile(r"^(?P<stage>setUpClass|tearDownClass) \((?P<name>[\w.]+)\)$")
_RAISED = re.compile(r"^    (?P<kind>[A-Za-z_][\w.]*(?:Error|Exception|Mismatch\w*|[A-Z]\w+)): (?P<message>.*)$")
_DETAILS = re.compile(r"^ *Details: (?P<details>.*)$")


@dataclass
class Tally:
    """Feed it lines; ask it afterwards. `wanted` are names of tests, without attributes."""

    wanted: list[str]
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    _failing: str = ""

    def read(self, lines: Iterable[str]) -> Iterable[str]:
        """Passes the result lines on as they come."""
        for line in lines:
            text = line.rstrip("\n")
            found = _RESULT.match(text)
            if found:
                self._failing = found["test"] if found["word"] == "FAILED" else ""
                self.outcomes[found["test"]] = _WORDS[found["word"]]
                self.reasons[found["test"]] = found["why"] or ""
                yield text
            elif self._failing:
                self._explain(text)

    def _explain(self, text: str) -> None:
        """The first exception of a failure is its reason; what the service said about it follows."""
        raised, details = _RAISED.match(text), _DETAILS.match(text)
        if raised and not self.reasons[self._failing]:
            self.reasons[self._failing] = f"{raised['kind'].rpartition('.')[2]}: {raised['message']}"
        elif details and " | " not in self.reasons[self._failing]:
            self.reasons[self._failing] += f" | {details['details']}"

    def verdict(self, test: str) -> tuple[str, str]:
        """Outcome and reason; a class that could not be set up, or was skipped, speaks for its tests."""
        if test in self.outcomes:
            return self.outcomes[test], self.reasons[test]
        group = f"setUpClass ({test.rpartition('.')[0]})"
        if group in self.outcomes:
            return self.outcomes[group], f"class: {self.reasons[group]}"
        return NOT_RUN, ""

    def table(self) -> dict[str, Counter[str]]:
        """Area -> outcome -> tests."""
        areas: dict[str, Counter[str]] = {}
        for test in self.wanted:
            areas.setdefault(area(test), Counter())[self.verdict(test)[0]] += 1
        return dict(sorted(areas.items()))

    def listing(self, outcome: str) -> list[str]:
        """`test: reason` of every test with this outcome."""
        verdicts = ((test, *self.verdict(test)) for test in self.wanted)
        return sorted(f"{test}: {reason}" for test, result, reason in verdicts if result == outcome)

    def untidy(self) -> list[str]:
        """Classes whose clean-up failed: their tests count by their own results."""
        return sorted(
            f"{test}: {self.reasons[test]}"
            for test, outcome in self.outcomes.items()
            if outcome == FAILED and (found := _CLASS.match(test)) and found["stage"] == "tearDownClass"
        )


def area(test: str) -> str:
    """compute, image, network, identity, volume, object_storage; scenario; serial_tests. Of a client's suite, the same services."""
    _, kind, service, *rest = test.split(".")
    if kind == "tests":
        return rest[0]
    return service if kind == "api" else kind


def printed(table: dict[str, Counter[str]]) -> str:
    """The table as text, with its sum."""
    total: Counter[str] = sum(table.values(), Counter())
    rows: list[tuple[str, ...]] = [("area", *OUTCOMES, "of")]
    for label, counts in [*table.items(), ("all", total)]:
        rows.append((label, *(str(counts[outcome]) for outcome in OUTCOMES), str(counts.total())))
    return "\n".join(f"{row[0]:16}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows)
