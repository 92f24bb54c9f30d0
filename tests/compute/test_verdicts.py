"""Refusals in words: what everybody reads, what an administrator reads, and that neither grows with the cloud."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.verdicts import EXAMPLES, REASONS, Verdict, details, summarise


def lacking(host: str, what: str = "4096 MEMORY_MB", free: int = 7) -> Verdict:
    return Verdict(host, "Placement", Refusal(f"lacks {what}", f"{free} free"))


def test_a_few_hosts_are_all_told() -> None:
    closed = Verdict("n3", "ComputeFilter", Refusal("is disabled", "new disks"))
    told = [lacking("n1", free=1), closed, lacking("n2", free=2)]
    assert summarise(told) == (
        "No valid host was found. 3 hosts: 2 lacks 4096 MEMORY_MB (Placement); 1 is disabled (ComputeFilter)"
    )
    assert details(told).splitlines() == [
        "n1: lacks 4096 MEMORY_MB: 1 free (Placement)",
        "n2: lacks 4096 MEMORY_MB: 2 free (Placement)",
        "n3: is disabled: new disks (ComputeFilter)",
    ]


def test_many_hosts_are_examples_and_a_count() -> None:
    told = [lacking(f"n{number}") for number in range(10_000)] + [lacking("small", "2 VCPU")]
    lines = details(told).splitlines()
    assert lines[0] == "n0: lacks 4096 MEMORY_MB: 7 free (Placement)"
    assert lines[EXAMPLES:] == [
        f"{10_000 - EXAMPLES} hosts more: lacks 4096 MEMORY_MB (Placement)",
        "small: lacks 2 VCPU: 7 free (Placement)",
    ]


def test_many_reasons_are_counted() -> None:
    told = [lacking(f"n{number}", f"{number % 500} VCPU") for number in range(10_000)]
    assert len(details(told)) < 8_000
    assert details(told).splitlines()[-1] == f"{10_000 - REASONS * 20} hosts more, for {500 - REASONS} other reasons"
    assert summarise(told).endswith(f"; {10_000 - REASONS * 20} for other reasons")


def test_no_hosts_at_all() -> None:
    assert (summarise([]), details([])) == ("No valid host was found. There are no hosts.", "")
