"""Choosing a host and claiming its resources, in the transaction that makes the server. A refusal explains itself."""

import random
from collections import Counter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.hosts.models import Host
from pileus.compute.scheduler import weighers
from pileus.compute.scheduler.filters import refuse
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState, read
from pileus.compute.settings import ComputeSettings
from pileus.placement import internal as placement

ENOUGH = 64  # hosts to choose among: with so many, the best of them is hardly worse than the best of all
ties = random.SystemRandom()  # spreads concurrent boots over equal hosts


class Verdict(NamedTuple):
    """One host's refusal: which check, and why."""

    host: str
    check: str
    refusal: Refusal

    def __str__(self) -> str:
        return f"{self.host}: {self.refusal} ({self.check})"


class NoValidHost(Exception):
    """`verdicts` has a line for each host; `summary` names no host and no other project."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.verdicts = verdicts
        self.summary = summarise(verdicts)
        super().__init__(self.summary)


def summarise(verdicts: list[Verdict]) -> str:
    if not verdicts:
        return "No valid host was found. There are no hosts."
    counts = Counter(f"{verdict.refusal.why} ({verdict.check})" for verdict in verdicts)
    hosts = "1 host" if len(verdicts) == 1 else f"{len(verdicts)} hosts"
    return f"No valid host was found. {hosts}: " + "; ".join(f"{n} {why}" for why, n in counts.most_common())


def choose_and_claim(
    db: Session, settings: ComputeSettings, request: Request, server_id: str, project_id: str, user_id: str
) -> Host:
    """Claim for one server. Raises NoValidHost. On a lost race the supply is read again, a few times."""
    for _ in range(5):
        fitting = _fitting(db, settings, request)
        if not fitting:
            raise NoValidHost(explain(db, settings, request))
        for state in best_first(settings, request, fitting):
            try:
                placement.claim(db, state.supply, server_id, project_id, user_id, request.resources)
            except placement.ClaimLost:
                continue
            return state.host
    raise NoValidHost(
        [*explain(db, settings, request), Verdict("", "Placement", Refusal("was claimed by others meanwhile"))]
    )


def best_first(settings: ComputeSettings, request: Request, fitting: list[HostState]) -> list[HostState]:
    """Equal hosts come in any order, so that concurrent boots do not collide."""
    weights = weighers.weigh(settings.scheduler_weights, request, fitting)
    ranked = sorted(zip(weights, fitting, strict=True), key=lambda pair: (-pair[0], ties.random()))
    return [state for _, state in ranked]


def explain(db: Session, settings: ComputeSettings, request: Request) -> list[Verdict]:
    """Every host's refusal; hosts that would do are left out. Reads all hosts: for when there is something to explain."""
    supplies = placement.supplies(db, traits=request.traits())
    verdicts = []
    for name in db.scalars(select(Host.name).where(Host.id.not_in(list(supplies))).order_by(Host.name)):
        verdicts.append(Verdict(name, "Placement", Refusal("offers nothing")))
    for state in sorted(read(db, supplies.values()), key=lambda state: state.host.name):
        if (refusal := refuse(settings.scheduler_filters, request, state)) is not None:
            verdicts.append(Verdict(state.host.name, *refusal))
    return verdicts


def _fitting(db: Session, settings: ComputeSettings, request: Request) -> list[HostState]:
    """Enough hosts that pass every check to choose well among; all of them in a small cloud."""
    found: list[HostState] = []
    for supplies in placement.fitting(db, request.resources, names=request.names(), traits=request.traits()):
        states = read(db, supplies)
        found += [state for state in states if refuse(settings.scheduler_filters, request, state) is None]
        if len(found) >= ENOUGH:
            break
    return found
