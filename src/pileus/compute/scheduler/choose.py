"""Choosing a host and claiming its resources, in the transaction that makes the server. A refusal explains itself."""

import random
from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.hosts.models import Host
from pileus.compute.scheduler import weighers
from pileus.compute.scheduler.filters import in_use, refuse
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState, read, with_images, with_layouts, with_rooms
from pileus.compute.scheduler.verdicts import Verdict, summarise
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import claims, fit
from pileus.compute.topology.guest import GuestHardware
from pileus.placement import internal as placement

ENOUGH = 32  # hosts to choose among: with so many, the best of them is hardly worse than the best of all
TRIES, TRIES_OF_PARTS = 5, 20  # against others who claim at once; few hosts may have the part that all of them want
ties = random.SystemRandom()  # spreads concurrent boots over equal hosts


class NoValidHost(Exception):
    """`verdicts` has a line for each host; `summary` names no host and no other project."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.verdicts = verdicts
        self.summary = summarise(verdicts)
        super().__init__(self.summary)


def choose_and_claim(
    db: Session, settings: ComputeSettings, request: Request, server_id: str, project_id: str, user_id: str
) -> Host:
    """Claim for one server. Raises NoValidHost. On a lost race the supply is read again, a few times."""
    for _ in range(TRIES if request.hardware is None else TRIES_OF_PARTS):
        fitting = _fitting(db, settings, request)
        if not fitting:
            raise NoValidHost(explain(db, settings, request))
        for state in best_first(db, settings, request, fitting):
            if request.hardware is not None and not (state.room and claims.reserve(db, state.host.id, state.room)):
                continue
            try:
                placement.claim(db, state.supply, server_id, project_id, user_id, request.resources, state.layout)
            except placement.ClaimLost:
                continue
            _take_hardware(db, request, state, server_id)
            return state.host
    raise NoValidHost(
        [*explain(db, settings, request), Verdict("", "Placement", Refusal("was claimed by others meanwhile"))]
    )


def _take_hardware(db: Session, request: Request, state: HostState, server_id: str) -> None:
    """After both claims: the room is as the checks saw it, so that they and this come to the same."""
    if request.hardware is not None and state.room is not None:
        part = fit.place(state.room, request.hardware)
        assert isinstance(part, GuestHardware)
        claims.take(db, state.host.id, server_id, part)


def _read(db: Session, request: Request, supplies: Iterable[placement.Supply]) -> list[HostState]:
    states, parts = read(db, supplies), placement.numbered(request.extra_specs)
    if parts is not None:
        states = with_layouts(db, request.resources, parts, states)
    return states if request.hardware is None else with_rooms(db, states)


def best_first(db: Session, settings: ComputeSettings, request: Request, fitting: list[HostState]) -> list[HostState]:
    """Equal hosts come in any order, so that concurrent boots do not collide; the first `host_subset_size` do anyway."""
    if weighers.looks_at_images(settings, fitting):
        fitting = with_images(db, fitting)
    weights = weighers.weigh(settings, request, fitting)
    ranked = sorted(zip(weights, fitting, strict=True), key=lambda pair: (-pair[0], ties.random()))
    states = [state for _, state in ranked]
    best = states[: settings.host_subset_size]
    ties.shuffle(best)
    return [*best, *states[settings.host_subset_size :]]


def explain(db: Session, settings: ComputeSettings, request: Request) -> list[Verdict]:
    """Every host's refusal; hosts that would do are left out. Reads all hosts: for when there is something to explain."""
    supplies = placement.supplies(db, traits=request.traits())
    checks, verdicts = in_use(settings), []
    for name in db.scalars(select(Host.name).where(Host.id.not_in(list(supplies))).order_by(Host.name)):
        verdicts.append(Verdict(name, "Placement", Refusal("offers nothing")))
    for state in sorted(_read(db, request, supplies.values()), key=lambda state: state.host.name):
        if (refusal := refuse(checks, request, state)) is not None:
            verdicts.append(Verdict(state.host.name, *refusal))
    return verdicts


def _fitting(db: Session, settings: ComputeSettings, request: Request) -> list[HostState]:
    """Enough hosts that pass every check to choose well among; all of them in a small cloud."""
    checks, found = in_use(settings), dict[str, HostState]()
    parts = placement.numbered(request.extra_specs)
    for names, used in _looks(settings, request):
        portions = placement.fitting(
            db, request.resources, names=names, used=used, traits=request.traits(), parts=parts, portion=ENOUGH
        )
        for supplies in portions:
            states = _read(db, request, supplies)
            found |= {state.host.id: state for state in states if refuse(checks, request, state) is None}
            if len(found) >= ENOUGH:
                return list(found.values())
    return list(found.values())


def _looks(settings: ComputeSettings, request: Request) -> Iterator[tuple[frozenset[str] | None, bool]]:
    """Where to look, best first: hosts of these names (None: any), only those in use or all. A sample may miss what the weights want."""
    names, group = request.names(), request.group
    if group is not None and group.policy == "soft-affinity" and group.hosts:
        near = frozenset(group.hosts)
        yield near if names is None else near & names, False
    if names is None and weighers.packs(settings):
        yield None, True
    yield names, False
