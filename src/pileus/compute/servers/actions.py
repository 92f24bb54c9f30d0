"""What may be asked of a server: each verb writes the wanted state; its host makes it true."""

from pileus.compute.servers import history, states
from pileus.compute.servers.models import Server
from pileus.compute.servers.schemas import Lock, Reboot, ResetState
from pileus.kernel import clock
from pileus.kernel.bus.base import CONTROL, agent_topic
from pileus.kernel.errors import Conflict
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import Unset

# verb -> vm_states in which it is allowed (Compute API guide, Server concepts)
ALLOWED = {
    "start": ("stopped",),
    "stop": ("active", "error"),
    "reboot": ("active",),
    "reboot_hard": ("active", "stopped", "paused", "error"),
    "pause": ("active",),
    "unpause": ("paused",),
}


def ask(call: Call, server: Server, verb: str, wanted: str, action: str) -> None:
    """Refuse what the state or a lock forbids, else write the wish and hint to the host."""
    refuse_locked(call, server)
    state = states.state(server, server.guest)
    if state.task_state is not None:
        raise Conflict(f"Cannot '{action}' instance {server.id} while it is in task_state {state.task_state}")
    if state.vm_state not in ALLOWED[verb] or server.host is None:
        raise Conflict(f"Cannot '{action}' instance {server.id} while it is in vm_state {state.vm_state}")
    server.wanted, server.verb, server.fault = wanted, verb, None
    server.touch()
    history.record(call, server, action)
    hint(call, server)


def hint(call: Call, server: Server) -> None:
    if server.host is not None:
        call.poke(agent_topic(server.host), "changed", server_id=server.id)


def refuse_locked(call: Call, server: Server) -> None:
    if server.locked_by is not None and not call.context.is_admin:
        raise Conflict(f"Instance {server.id} is locked")


def start(call: Call, server: Server) -> None:
    ask(call, server, "start", "active", "start")


def stop(call: Call, server: Server) -> None:
    ask(call, server, "stop", "stopped", "stop")


def pause(call: Call, server: Server) -> None:
    ask(call, server, "pause", "paused", "pause")


def unpause(call: Call, server: Server) -> None:
    ask(call, server, "unpause", "active", "unpause")


def reboot(call: Call, server: Server, body: Reboot) -> None:
    if body.type.upper() == "SOFT":
        server.soft_reboots += 1
        ask(call, server, "reboot", "active", "reboot")
    else:
        server.hard_reboots += 1
        ask(call, server, "reboot_hard", "active", "reboot")


def lock(call: Call, server: Server, body: Lock) -> None:
    server.locked_by = "owner" if server.project_id == call.context.project_id else "admin"
    server.locked_reason = None if isinstance(body.locked_reason, Unset) else body.locked_reason
    history.record(call, server, "lock", done=True)


def unlock(call: Call, server: Server) -> None:
    if server.locked_by == "admin":
        call.enforce("os_compute_api:os-lock-server:unlock:unlock_override", {"project_id": server.project_id})
    server.locked_by = server.locked_reason = None
    history.record(call, server, "unlock", done=True)


def reset_state(call: Call, server: Server, body: ResetState) -> None:
    """`error` marks the server; `active` takes the mark away, and its host makes it what is wanted once more."""
    if body.state == "error":
        server.fault = {"code": 500, "message": "An administrator set the state.", "created": clock.iso(clock.now())}
    else:
        server.fault = None
        server.touch()
        hint(call, server)
    history.record(call, server, "resetState", done=True)


def delete(call: Call, server: Server) -> None:
    """Asked twice is asked once. A server that no host has goes at once with the reconciler's next look."""
    refuse_locked(call, server)
    if server.wanted == "deleted":
        return
    server.wanted, server.verb = "deleted", "delete"
    server.touch()
    history.record(call, server, "delete")
    hint(call, server)
    if server.host is None:
        call.poke(CONTROL, "server", server_id=server.id)
