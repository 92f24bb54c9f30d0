"""How many servers a project may make, counted from the rows that are there."""

from collections.abc import Sequence

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from pileus.compute.flavors.models import Flavor
from pileus.compute.servers.models import Server
from pileus.kernel import quotas
from pileus.kernel.errors import OverQuota
from pileus.kernel.quotas import Bound, Projects


def usage(db: Session, projects: Projects) -> dict[str, int]:
    """Servers, cores and memory that the projects use together, counted from the rows."""
    cores, ram = Server.flavor["vcpus"].as_string().cast(Integer), Server.flavor["ram"].as_string().cast(Integer)
    row = db.execute(
        select(func.count(), func.coalesce(func.sum(cores), 0), func.coalesce(func.sum(ram), 0)).where(
            Server.project_id.in_(projects), Server.wanted != "deleted"
        )
    ).one()
    return {"instances": int(row[0]), "cores": int(row[1]), "ram": int(row[2])}


def within_quota(db: Session, bounds: Sequence[Bound], flavor: Flavor, least: int, most: int) -> int:
    """How many servers may be made now. Raises OverQuota below `least`."""
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
    counted = [(bound.limits, usage(db, bound.projects)) for bound in bounds]
    room = [
        (limits[name] - used[name]) // one
        for limits, used in counted
        for name, one in each.items()
        if one > 0 and limits.get(name, quotas.UNLIMITED) >= 0
    ]
    count = max(least, min([most, *room]))
    try:
        for limits, used in counted:
            quotas.check(limits, used, {name: one * count for name, one in each.items()})
    except quotas.Exceeded as exceeded:
        names = ", ".join(exceeded.short)
        wanted, held, limit = (", ".join(str(entry[i]) for entry in exceeded.short.values()) for i in range(3))
        message = f"Quota exceeded for {names}: Requested {wanted}, but already used {held} of {limit} {names}"
        raise OverQuota(message) from None
    return count
