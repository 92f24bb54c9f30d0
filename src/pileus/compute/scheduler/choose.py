"""Choosing a host and claiming its resources, in the transaction that makes the server. A refusal explains itself."""

import random
from collections import Counter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.filters import FILTERS, Request, preference
from pileus.placement import internal as placement

ENOUGH = 64  # hosts to choose among: with so many, the best of them is hardly worse than the best of all
ties = random.SystemRandom()  # spreads concurrent boots over equal hosts


class Verdict(NamedTuple):
    """One host's refusal: which check, and why."""

    host: str
    check: str
    why: str


class Choice(NamedTuple):
    """A host that could do. `rank`: the least is the best."""

    rank: tuple[int, int, float]
    host: Host
    supply: placement.Supply


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
        fitting = _fitting(db, request)
        if not fitting:
            raise NoValidHost(explain(db, request))
        for choice in sorted(fitting, key=lambda choice: choice.rank):
            try:
                placement.claim(db, choice.supply, server_id, project_id, user_id, request.resources)
            except placement.ClaimLost:
                continue
            return choice.host
    raise NoValidHost([*explain(db, request), Verdict("", "Placement", "was claimed by others meanwhile")])


def explain(db: Session, request: Request) -> list[Verdict]:
    """Every host's refusal; hosts that would do are left out. Reads all hosts: for when there is something to explain."""
    supplies = placement.supplies(db)
    verdicts = []
    for host in db.scalars(select(Host).order_by(Host.name)):
        supply = supplies.get(host.id)
        refusal = ("Placement", "offers nothing") if supply is None else refuse(request, host, supply)
        if refusal is not None:
            verdicts.append(Verdict(host.name, *refusal))
    return verdicts


def _fitting(db: Session, request: Request) -> list[Choice]:
    """Enough hosts that pass every check to choose well among; all of them in a small cloud."""
    found: list[Choice] = []
    for supplies in placement.fitting(db, request.resources, names=request.names()):
        hosts = {
            host.id: host for host in db.scalars(select(Host).where(Host.id.in_([s.provider_id for s in supplies])))
        }
        for supply in supplies:
            host = hosts.get(supply.provider_id)
            if host is not None and refuse(request, host, supply) is None:
                memory = supply.stock["MEMORY_MB"].free if "MEMORY_MB" in supply.stock else 0
                found.append(Choice((-preference(request, host), -memory, ties.random()), host, supply))
        if len(found) >= ENOUGH:
            break
    return found


def refuse(request: Request, host: Host, supply: placement.Supply) -> tuple[str, str] | None:
    """The first check that says no, and why."""
    for name, check in FILTERS.items():
        why = check(request, host, supply)
        if why is not None:
            return name, why
    return None
