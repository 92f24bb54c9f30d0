"""Converging servers in the control plane: what follows from a host's facts. The host's own half is `compute.agent`."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.compute.guests.models import Guest
from pileus.compute.hosts import register
from pileus.compute.instance_actions.models import InstanceAction
from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import claims
from pileus.kernel import clock
from pileus.kernel.bus.base import agent_topic
from pileus.kernel.cloud import Cloud
from pileus.kernel.reconcile import Again, Done, Outcome
from pileus.network import internal as network
from pileus.placement import internal as placement

POWERED = {"running": "active", "stopped": "stopped", "crashed": "stopped", "paused": "paused"}


def next_step(server: Server, guest: Guest | None, attempts: int) -> str | None:
    """Pure: the one thing to do now, or None."""
    if server.wanted == "deleted":
        gone = server.host is None or (
            guest is not None and guest.state == "absent" and guest.generation >= server.generation
        )
        return "forget" if gone else "remind"
    if guest is None or guest.generation < server.generation:
        fault = guest.fault if guest is not None else None
        if server.fault is not None:
            return None
        if fault is not None and int(fault.get("generation", 0)) < server.generation:
            fault = None  # of an earlier wish
        if fault is not None and (fault.get("permanent") or int(fault.get("attempts", 1)) >= attempts):
            return "fail"
        return "remind"
    if server.observed_generation < guest.generation or server.launched_at is None:
        return "settle"
    if server.fault is None and guest.fault is None and POWERED.get(guest.state, server.wanted) != server.wanted:
        return "follow"
    return None


class Servers:
    """The step function of the servers' reconciler."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.attempts = cloud.settings(ComputeSettings).boot_attempts

    def step(self, server_id: str) -> Outcome:
        outcome, hosts = self.cloud.db.transact(lambda db: self._take(db, server_id))
        for host in hosts:
            self.cloud.bus.cast(agent_topic(host), "changed", {"server_id": server_id})
        return outcome

    def _take(self, db: Session, server_id: str) -> tuple[Outcome, set[str]]:
        """One step, and the hosts that should look."""
        server = db.get(Server, server_id)
        if server is None:
            return Done(), set()
        guest = server.guest
        own = {server.host} if server.host else set()
        match next_step(server, guest, self.attempts):
            case "forget":
                hosts = own | set(network.hosts_of(db, server.id))
                forget(db, server)
                return Done(), hosts
            case "fail" if guest is not None:
                fail(db, server, guest)
            case "settle" if guest is not None:
                settle(db, server, guest)
                return Again(0), set()
            case "follow" if guest is not None:
                server.wanted = POWERED[guest.state]
            case "remind":
                return Again(5), own
        return Done(), set()


def forget(db: Session, server: Server) -> None:
    """The host has nothing left of it: ports, allocation and rows go together, the row last. It is locked first, against late reports."""
    db.execute(select(Server.id).where(Server.id == server.id).with_for_update())
    network.release_device(db, server.id)
    placement.release(db, server.id)
    claims.release(db, server.id)
    db.execute(delete(Guest).where(Guest.server_id == server.id))
    db.delete(server)


def settle(db: Session, server: Server, guest: Guest) -> None:
    """The host has made a generation true."""
    server.observed_generation = guest.generation
    if server.launched_at is None:
        server.launched_at = clock.now()
        register.built(db, server.host_id)
    finish(db, server, guest.generation, None)


def fail(db: Session, server: Server, guest: Guest) -> None:
    fault = guest.fault or {}
    if server.launched_at is None:
        register.build_failed(db, server.host_id)
    server.fault = {
        "code": 500,
        "message": fault.get("message", "The host could not do what was asked."),
        "details": fault.get("detail", ""),
        "created": clock.iso(clock.now()),
    }
    server.observed_generation = server.generation
    finish(db, server, server.generation, server.fault["message"])


def finish(db: Session, server: Server, generation: int, error: str | None) -> None:
    db.execute(
        update(InstanceAction)
        .where(
            InstanceAction.server_id == server.id,
            InstanceAction.generation <= generation,
            InstanceAction.finished_at.is_(None),
        )
        .values(finished_at=clock.now(), result="Error" if error else "Success", message=error, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
