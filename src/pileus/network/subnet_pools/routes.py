from collections.abc import Sequence

from sqlalchemy import Select, select

from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.listing import flag, number
from pileus.kernel.http.routes import Route
from pileus.network import usage
from pileus.network.attributes import Tag
from pileus.network.errors import not_found
from pileus.network.rest.bodies import check_create, check_revision, check_update, create_all, owner, set_plain, text
from pileus.network.rest.lists import Sight, listed, listing, standard, tags_of, visible
from pileus.network.subnet_pools import actions
from pileus.network.subnet_pools.models import SubnetPool
from pileus.network.subnet_pools.schemas import Changes, CreateBody, NewPool, UpdateBody

POOLS = listing(
    SubnetPool,
    {
        "shared": flag(SubnetPool.shared),
        "is_default": flag(SubnetPool.is_default),
        "ip_version": number(SubnetPool.ip_version),
        "default_prefixlen": number(SubnetPool.default_prefixlen),
        "min_prefixlen": number(SubnetPool.min_prefixlen),
        "max_prefixlen": number(SubnetPool.max_prefixlen),
        "default_quota": number(SubnetPool.default_quota),
    },
    sort=("ip_version",),
)


def find(call: Call, subnetpool_id: str) -> SubnetPool:
    pool = call.db.get(SubnetPool, subnetpool_id)
    if pool is None or not (call.context.sees_project(pool.project_id) or pool.shared):
        raise not_found("Subnet pool", subnetpool_id, "SubnetPoolNotFound")
    return pool


def _seen(call: Call) -> Select[SubnetPool]:
    own = visible(call, SubnetPool.project_id, SubnetPool.shared.is_(True))
    query = select(SubnetPool)
    return query if own is None else query.where(own)


def views(call: Call, rows: Sequence[SubnetPool]) -> list[Json]:
    tags = tags_of(call.db, rows)
    sight = Sight(call, "get_subnetpool", ())
    return [sight.of(row, {**standard(row, tags), **_own(row)}) for row in rows]


def _own(row: SubnetPool) -> Json:
    return {
        "name": row.name,
        "prefixes": row.prefixes,
        "ip_version": row.ip_version,
        "default_prefixlen": row.default_prefixlen,
        "min_prefixlen": row.min_prefixlen,
        "max_prefixlen": row.max_prefixlen,
        "default_quota": row.default_quota,
        "shared": row.shared,
        "is_default": row.is_default,
        "address_scope_id": None,
    }


def index(call: Call) -> Json:
    return listed(call, POOLS, _seen(call), "subnetpools", views)


def show(call: Call, pool: SubnetPool) -> Json:
    return {"subnetpool": views(call, [pool])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    return create_all(call, "subnetpool", body.subnetpool, body.subnetpools, _create_one, views)


def _create_one(call: Call, new: NewPool) -> SubnetPool:
    project_id = owner(call, new)
    check_create(call, "create_subnetpool", new, {"project_id": project_id, "tenant_id": project_id}, {})
    usage.check(call.db, project_id, "subnetpool")
    pool = SubnetPool(
        project_id=project_id, name=text("name", new.name), description=text("description", new.description)
    )
    pool.shared, pool.is_default = new.shared is True, False
    actions.set_prefixes(call.db, pool, new.prefixes if isinstance(new.prefixes, list) else [])
    _set_lengths(pool, new)
    pool.default_quota = new.default_quota if isinstance(new.default_quota, int) else None
    actions.set_default(call.db, pool, new.is_default is True)
    call.db.add(pool)
    call.db.flush()
    return pool


def _set_lengths(pool: SubnetPool, new: Changes) -> None:
    given = [
        value if isinstance(value, int) else None
        for value in (new.default_prefixlen, new.min_prefixlen, new.max_prefixlen)
    ]
    actions.set_lengths(pool, *given)


def update(call: Call, pool: SubnetPool, body: UpdateBody) -> Json:
    new = body.subnetpool
    check_revision(call, pool)
    check_update(call, "update_subnetpool", new, pool.policy_target())
    set_plain(pool, new, ("name", "description"))
    if isinstance(new.prefixes, list):
        actions.set_prefixes(call.db, pool, new.prefixes)
    _set_lengths(pool, new)
    if isinstance(new.default_quota, int) or new.default_quota is None:
        pool.default_quota = new.default_quota
    if isinstance(new.is_default, bool):
        actions.set_default(call.db, pool, new.is_default)
    call.db.flush()
    return {"subnetpool": views(call, [pool])[0]}


def destroy(call: Call, pool: SubnetPool) -> None:
    check_revision(call, pool)
    Tag.forget(call.db, pool.id)
    actions.destroy(call.db, pool)


ONE = "/v2.0/subnetpools/{subnetpool_id}"
ROUTES = (
    Route("GET", "/v2.0/subnetpools", index, "get_subnetpools"),
    Route("POST", "/v2.0/subnetpools", create, "create_subnetpool", status=201),
    Route("GET", ONE, show, "get_subnetpool", load=find),
    Route("PUT", ONE, update, "update_subnetpool", load=find),
    Route("DELETE", ONE, destroy, "delete_subnetpool", load=find, status=204),
)
