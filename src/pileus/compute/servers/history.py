"""Writing a server's history as part of the request that makes it."""

from pileus.compute.instance_actions.models import InstanceAction
from pileus.compute.servers.models import Server
from pileus.kernel import clock
from pileus.kernel.http.call import Call


def record(call: Call, server: Server, action: str, *, error: str | None = None, done: bool = False) -> None:
    """`done` for what is finished with the request itself; otherwise the host's report of this generation finishes it."""
    entry = InstanceAction(
        server_id=server.id,
        request_id=call.context.request_id,
        action=action,
        user_id=call.context.user_id or "",
        project_id=call.context.project_id or "",
        generation=server.generation,
        host=server.host,
    )
    if error is not None or done:
        entry.finished_at = clock.now()
        entry.result = "Error" if error else "Success"
        entry.message = error
    call.db.add(entry)
