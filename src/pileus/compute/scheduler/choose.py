"""Choosing a host and claiming its resources, in the transaction that makes the server. A refusal explains itself."""

import random
from collections import Counter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.filters import FILTERS, Request, preference
from pileus.placement import internal as placement

ties = random.SystemRandom()  # spreads concurrent boots over equal hosts


class Verdict(NamedTuple):
    """One host's refusal: which check, and why."""

    host: str
    check: str
    why: str


class NoValidHost(Exception):
    """`verdicts` has a line for each host; `summary` names no host and no other project."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.verdicts = verdicts
        self.summary = summarise(verdicts)
        super().__init__(self.summary)


def summarise(verdicts: list[Verdict]) -> str:
    if not verdicts:
        return "No valid host was found. There are no hosts."
    counts = Counter(f"{verdict.why} ({verdict.check})" for verdict in verdicts)
    hosts = "1 host" if len(verdicts) == 1 else f"{len(verdicts)} hosts"
    return f"No valid host was found. {hosts}: " + "; ".join(f"{n} {why}" for why, n in counts.most_common())


def choose_and_claim(db: Session, request: Request, server_id: str, project_id: str, user_id: str) -> Host:
    """Claim for one server. Raises NoValidHost. On a lost race the supply is read again, a few times."""
    for _ in range(5):
        supplies = placement.supplies(db)
        verdicts: list[Verdict] = []
        fitting: list[tuple[int, int, float, Host]] = []
        for host in db.scalars(select(Host)):
            supply = supplies.get(host.id)
            refusal = ("Placement", "offers nothing") if supply is None else refuse(request, host, supply)
            if refusal is None and supply is not None:
                memory = supply.stock["MEMORY_MB"].free if "MEMORY_MB" in supply.stock else 0
                fitting.append((-preference(request, host), -memory, ties.random(), host))
            elif refusal is not None:
                verdicts.append(Verdict(host.name, *refusal))
        for *_, host in sorted(fitting, key=lambda entry: entry[:3]):
            try:
                placement.claim(db, supplies[host.id], server_id, project_id, user_id, request.resources)
            except placement.ClaimLost:
                continue
            return host
        if not fitting:
            raise NoValidHost(verdicts)
    raise NoValidHost([*verdicts, Verdict("", "Placement", "was claimed by others meanwhile")])


def refuse(request: Request, host: Host, supply: placement.Supply) -> tuple[str, str] | None:
    """The first check that says no, and why."""
    for name, check in FILTERS.items():
        why = check(request, host, supply)
        if why is not None:
            return name, why
    return None
