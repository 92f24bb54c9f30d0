"""Status, task and power state of a server: one pure function of what is wanted and what the host sees.

The SQL conditions beside it say the same for filters; a test holds them equal for every combination.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, not_, or_

from pileus.compute.guests.models import Guest
from pileus.compute.servers.models import Server

NOSTATE, RUNNING, PAUSED, SHUTDOWN, CRASHED = 0, 1, 3, 4, 6
POWER = {"running": RUNNING, "paused": PAUSED, "stopped": SHUTDOWN, "crashed": CRASHED}
TASKS = {
    "create": "spawning",
    "delete": "deleting",
    "start": "powering-on",
    "stop": "powering-off",
    "pause": "pausing",
    "unpause": "unpausing",
    "reboot": "rebooting",
    "reboot_hard": "rebooting_hard",
    "rebuild": "rebuild_spawning",
}
REBOOTS = {"reboot": "REBOOT", "reboot_hard": "HARD_REBOOT", "rebuild": "REBUILD"}
SETTLED = {
    "running": ("ACTIVE", "active"),
    "paused": ("PAUSED", "paused"),
    "stopped": ("SHUTOFF", "stopped"),
    "crashed": ("SHUTOFF", "stopped"),
}


class State(NamedTuple):
    """`status` is the API's; `vm_state`, `task_state` and `power_state` are the extended attributes."""

    status: str
    vm_state: str
    task_state: str | None
    power_state: int


def behind(server: Server, guest: Guest | None) -> bool:
    """The host has not yet made true what was asked last."""
    return guest is None or guest.generation < server.generation


def state(server: Server, guest: Guest | None) -> State:
    power = POWER.get(guest.state, NOSTATE) if guest is not None else NOSTATE
    task = TASKS[server.verb] if behind(server, guest) else None
    if server.wanted == "deleted":
        task = "deleting"
    if server.fault is not None:
        return State("ERROR", "error", task if task == "deleting" else None, power)
    if server.launched_at is None or guest is None:
        waiting = task if server.host is not None else "scheduling"
        return State("BUILD", "building", waiting or "spawning", power)
    status, vm_state = SETTLED.get(guest.state, ("UNKNOWN", "active"))
    if task is not None and task != "deleting":
        status = REBOOTS.get(server.verb, status)
    return State(status, vm_state, task, power)


def is_status(status: str) -> ColumnElement[bool]:
    """Rows of `servers` joined (outer) with `guests` that have this status. An unknown status matches nothing."""
    errored = Server.fault.is_not(None)
    launched = and_(Server.launched_at.is_not(None), Guest.server_id.is_not(None))
    if status == "ERROR":
        return errored
    if status == "BUILD":
        return and_(not_(errored), not_(launched))
    busy = and_(Guest.generation < Server.generation, Server.wanted != "deleted")
    in_reboot = and_(busy, Server.verb.in_(REBOOTS))
    alive = and_(not_(errored), launched)
    for verb, name in REBOOTS.items():
        if status == name:
            return and_(alive, busy, Server.verb == verb)
    states = [guest for guest, (name, _) in SETTLED.items() if name == status]
    if not states:
        return false()
    return and_(alive, or_(*(Guest.state == s for s in states)), not_(in_reboot))
