"""What compute asks of the network, and what hosts are told and tell."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Context
from pileus.kernel.errors import ApiError, BadRequest, Conflict, Forbidden, OverQuota
from pileus.network import internal
from pileus.network.agent.snapshot import NetworkReport
from pileus.network.internal import NicRequest
from tests.network.api.client import Api, net, public
from tests.network.api.test_routers import plug

CALLER = Context(user_id="u", project_id="p1", roles=("member", "reader"))


@contextmanager
def counted(cloud: Cloud) -> Iterator[list[str]]:
    """Statements that run meanwhile."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    engines = {cloud.db.session(write=flag).get_bind().engine for flag in (True, False)}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def boot(cloud: Cloud, server: str, request: NicRequest | None = None, host: str = "h1") -> list[internal.PortFacts]:
    with cloud.db.writing() as db:
        plan = internal.plan_nics(db, CALLER, [request] if request else "auto")
        return internal.attach_nics(db, CALLER, plan, server, host, "nova", server)


def test_a_server_gets_its_port_and_gives_it_back(member: Api, cloud: Cloud) -> None:
    network, subnet = net(member)
    (port,) = boot(cloud, "s1")
    assert port.network_id == network["id"] and port.devname == f"tap{port.id[:11]}" and port.made_by_compute
    assert (
        port.subnets[0].id == subnet["id"]
        and port.fixed_ips[0].ip_version == 4
        and port.security_groups == ("default",)
    )
    shown = member.show("port", port.id)
    assert (shown["device_id"], shown["device_owner"], shown["dns_name"], shown["status"]) == (
        "s1",
        "compute:nova",
        "s1",
        "BUILD",
    )
    with cloud.db.writing() as db:
        assert internal.apply_report(db, NetworkReport("h1", 1, (port.id,))) == ["s1"]
        assert internal.apply_report(db, NetworkReport("h1", 1, (port.id,))) == []
        assert internal.ports_of(db, ["s1", "s2"])["s1"][0].status == "ACTIVE"
        found = internal.find_by_address(db, port.fixed_ips[0].ip_address, network_id=network["id"])
        assert found is not None and found.server_id == "s1"
        assert internal.security_group_names(db, ["s1"]) == {"s1": ["default"]}
        assert [one.server_id for one in internal.orphans(db, ["s2"])] == ["s1"]
        internal.release_device(db, "s1")
        internal.release_device(db, "s1")
        assert internal.ports_of(db, ["s1"]) == {"s1": []}
    member.show("port", port.id, 404)


def test_a_users_port_is_set_free_not_deleted(member: Api, cloud: Cloud) -> None:
    network, _ = net(member)
    own = member.make("port", network_id=network["id"])["id"]
    (port,) = boot(cloud, "s1", NicRequest(port_id=own), host="")
    assert port.id == own and not port.made_by_compute and port.status == "DOWN"
    with cloud.db.writing() as db:
        internal.bind_host(db, "s1", "h1")
        assert internal.ports_of(db, ["s1"])["s1"][0].host == "h1"
        assert internal.hosts_of(db, "s1") == ["h1"]
        with pytest.raises(Conflict, match="is still in use"):
            internal.plan_nics(db, CALLER, [NicRequest(port_id=own)])
        assert internal.detach_port(db, own) and not internal.detach_port(db, own)
    shown = member.show("port", own)
    assert (shown["device_id"], shown["device_owner"], shown["status"]) == ("", "", "DOWN")


def test_words_on_a_port_do_not_make_it_a_servers(member: Api, other: Api, cloud: Cloud) -> None:
    """Who names a foreign server on a port of his own gets neither its metadata nor into its interfaces."""
    net(member)
    boot(cloud, "s1")
    network, _ = net(other)
    forged = other.make("port", network_id=network["id"], device_id="s1", device_owner="compute:nova")
    with cloud.db.writing() as db:
        assert [port.project_id for port in internal.ports_of(db, ["s1"])["s1"]] == ["p1"]
        assert internal.find_by_address(db, forged["fixed_ips"][0]["ip_address"], network_id=network["id"]) is None
        hosts = [
            host
            for one in internal.snapshot(db, "h1").networks
            if one.id == network["id"] and one.dhcp
            for host in one.dhcp.hosts
        ]
        assert [host.device_id for host in hosts] == [""]
        internal.release_device(db, "s1")
    other.show("port", forged["id"])


def test_plans_that_cannot_be(member: Api, other: Api, admin: Api, cloud: Cloud) -> None:
    ext, _ = public(admin)
    foreign, _ = net(other)
    bare = member.make("network")
    with cloud.db.writing() as db:
        assert internal.plan_nics(db, CALLER, "auto") == [] and internal.plan_nics(db, CALLER, "none") == []
    network, _ = net(member)
    addressed = member.make("port", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.9"}])
    foreign_port = other.make("port", network_id=foreign["id"])["id"]
    cases: list[tuple[NicRequest, type[ApiError], str]] = [
        (NicRequest(network_id="missing"), BadRequest, "Network missing could not be found"),
        (NicRequest(network_id=foreign["id"]), BadRequest, "could not be found"),
        (NicRequest(network_id=ext["id"]), Forbidden, "external network"),
        (NicRequest(network_id=bare["id"]), BadRequest, "requires a subnet"),
        (NicRequest(network_id=network["id"], fixed_ip="10.9.0.1"), BadRequest, "not a valid ip address for network"),
        (NicRequest(network_id=network["id"], fixed_ip="10.0.0.9"), BadRequest, "already in use"),
        (NicRequest(network_id=network["id"], fixed_ip="x"), BadRequest, "Invalid fixed IP"),
        (NicRequest(port_id="missing"), BadRequest, "could not be found"),
        (NicRequest(port_id=foreign_port), BadRequest, "could not be found"),
        (NicRequest(port_id=addressed["id"], fixed_ip="10.0.0.9"), BadRequest, "cannot be"),
    ]
    with cloud.db.writing() as db:
        for request, error, message in cases:
            with pytest.raises(error, match=message):
                internal.plan_nics(db, CALLER, [request])
        with pytest.raises(BadRequest, match="Security group magic not found"):
            internal.plan_nics(db, CALLER, "auto", ["magic"])
        with pytest.raises(BadRequest, match="only once"):
            internal.plan_nics(db, CALLER, [NicRequest(port_id=addressed["id"])] * 2)
    net(member, cidr="10.6.0.0/24")
    with cloud.db.writing() as db, pytest.raises(Conflict, match="More than one possible network"):
        internal.plan_nics(db, CALLER, "auto")
    admin.change("quota", "p1", port=1)
    with cloud.db.writing() as db, pytest.raises(OverQuota):
        internal.plan_nics(db, CALLER, [NicRequest(network_id=network["id"])])


def test_the_snapshot_of_a_host(member: Api, admin: Api, cloud: Cloud) -> None:
    ext, _ = public(admin)
    network, subnet = net(member, dns_nameservers=["9.9.9.9"])
    (port,) = boot(cloud, "web")
    with cloud.db.reading() as db:
        (isolated,) = internal.snapshot(db, "h1").networks
    assert isolated.dhcp is not None and isolated.dhcp.serves_metadata
    assert isolated.dhcp.metadata_via == {subnet["id"]: isolated.dhcp.fixed_ips[0].ip_address}
    router = member.make("router", external_gateway_info={"network_id": ext["id"]})
    plug(member, router, subnet_id=subnet["id"])
    fip = member.make("floatingip", floating_network_id=ext["id"], port_id=port.id)
    with cloud.db.writing() as db:
        internal.register_host(db, "h2", "192.0.2.2", ["public"], "fake")
    (far,) = boot(cloud, "far", host="h2")
    with cloud.db.reading() as db:
        shot, other, nothing = (internal.snapshot(db, host) for host in ("h1", "h2", "h3"))
    assert shot.generation == other.generation > 0
    networks = {one.id: one for one in shot.networks}
    assert set(networks) == {network["id"], ext["id"]}
    inner = networks[network["id"]]
    assert (inner.network_type, inner.mtu, inner.peers) == ("vxlan", 1450, ("192.0.2.2",))
    assert inner.segmentation_id is not None and inner.subnets[0].dns_nameservers == ("9.9.9.9",)
    assert (
        inner.dhcp is not None
        and not inner.dhcp.serves_metadata
        and inner.dhcp.metadata_via == {subnet["id"]: "10.0.0.1"}
    )
    assert {(host.hostname, host.device_id) for host in inner.dhcp.hosts} == {
        ("web", "web"),
        ("far", "far"),
        ("host-10-0-0-1", ""),
    }
    assert (networks[ext["id"]].network_type, networks[ext["id"]].physical_network, networks[ext["id"]].dhcp) == (
        "flat",
        "public",
        None,
    )
    assert [one.id for one in shot.ports] == [port.id]
    (group,) = shot.security_groups
    assert set(group.members) == {port.fixed_ips[0].ip_address, far.fixed_ips[0].ip_address}
    (wanted,) = shot.routers
    assert (
        wanted.gateway is not None
        and wanted.enable_snat
        and [one.network_id for one in wanted.interfaces] == [network["id"]]
    )
    assert [(one.floating_ip_address, one.fixed_ip_address) for one in wanted.floating_ips] == [
        (fip["floating_ip_address"], port.fixed_ips[0].ip_address)
    ]
    assert [one.id for one in other.ports] == [far.id] and other.routers == () and other.networks[0].dhcp is None
    assert other.networks[0].peers == ("192.0.2.1",)
    assert (nothing.networks, nothing.ports, nothing.routers) == ((), (), ())


def test_queries_do_not_grow_with_the_cloud(member: Api, admin: Api, cloud: Cloud) -> None:
    admin.change("quota", "p1", router=-1, security_group=-1, network=-1)
    figures = []
    for size in (2, 9):
        for n in range(size):
            _, subnet = net(member, cidr=f"10.{n}.0.0/24")
            router = member.make("router")
            plug(member, router, subnet_id=subnet["id"])
            boot(cloud, f"s{size}-{n}", NicRequest(network_id=subnet["network_id"]))
        member.make(
            "port", network_id=subnet["network_id"], security_groups=[member.make("security_group", name="g")["id"]]
        )
        with cloud.db.reading() as db, counted(cloud) as seen:
            assert len(internal.snapshot(db, "h1").ports) >= size
        with cloud.db.reading() as db, counted(cloud) as owned:
            internal.ports_of(db, [f"s{size}-{n}" for n in range(size)])
        listed = []
        for kind in ("network", "subnet", "port", "router", "security_group", "security_group_rule"):
            with counted(cloud) as each:
                assert len(member.list(kind)) >= 2
            listed.append(len(each))
        figures.append((len(seen), len(owned), listed))
        assert len(seen) <= 20
    assert figures[0] == figures[1]


def test_new_hosts_get_what_waits(member: Api, cloud: Cloud) -> None:
    """Without an alive host nothing is scheduled; the next one that comes takes it over."""
    with cloud.db.writing() as db:
        internal.forget_host(db, "h1")
    _, subnet = net(member)
    router = member.make("router")
    plug(member, router, subnet_id=subnet["id"])
    assert member.list("port", "device_owner=network:dhcp") == []
    with cloud.db.writing() as db:
        internal.register_host(db, "h9", "192.0.2.9", [], "fake")
        shot = internal.snapshot(db, "h9")
    assert [one.id for one in shot.routers] == [router["id"]] and shot.networks[0].dhcp is not None
