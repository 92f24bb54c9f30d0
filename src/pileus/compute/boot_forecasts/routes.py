"""Would this boot now, and where? An extension of Pileus' own (docs/guides/scheduling.md).

The request is that of `POST /servers`. It is carried out in a transaction that is taken back, so that the answer is what a boot at
this moment would have met: quota, image, networks, every check of every host.
"""

from pileus.compute.scheduler.choose import explain
from pileus.compute.scheduler.verdicts import Verdict, summarise
from pileus.compute.servers import create
from pileus.compute.servers.schemas import CreateServerBody
from pileus.compute.settings import ComputeSettings
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

DETAILS = "pileus:boot_forecasts:details"

RULES = (
    Rule("pileus:boot_forecasts:create", "rule:member_or_admin", "Ask whether a server would boot"),
    Rule(DETAILS, "rule:admin_required", "See which hosts would take a server, and why the others would not"),
)


def post(call: Call, body: CreateServerBody) -> Json:
    """`fits`: all of the servers asked for; `refusals`, for administrators: why each other host says no to the first of them."""
    settings = call.cloud.settings(ComputeSettings)
    with call.taken_back():
        hosts = [server.host for server in create.create(call, body)]
    verdicts = explain(call.db, settings, create.request_of(call, body))
    shown: Json = {"fits": None not in hosts, "servers": len(hosts), "summary": _summary(hosts, verdicts)}
    if call.allows(DETAILS):
        shown["hosts"] = hosts
        shown["refusals"] = [{"host": v.host, "filter": v.check, "reason": str(v.refusal)} for v in verdicts]
    return {"boot_forecast": shown}


def _summary(hosts: list[str | None], verdicts: list[Verdict]) -> str:
    fit = sum(host is not None for host in hosts)
    if fit == len(hosts):
        return "This would boot now."
    return f"{fit} of {len(hosts)} would boot now. " + summarise(verdicts)


ROUTES = (Route("POST", "/v2.1/pileus-boot-forecasts", post, "pileus:boot_forecasts:create"),)
