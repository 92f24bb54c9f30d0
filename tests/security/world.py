"""A cloud with two projects that have one of everything each, things that are shared, and people of every kind.

The application is the whole one; hosts and their agents are rows, so that a test may take back whatever a request wrote.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pileus.composition import OWN_PORT, SERVICES
from pileus.compute.drivers.base import HostFacts
from pileus.compute.guests.models import Guest
from pileus.compute.hosts import register
from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.settings import IdentitySettings
from pileus.kernel import clock
from pileus.kernel.bus.base import agent_topic
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from pileus.kernel.http.call import Call
from pileus.network import internal as network
from tests.security.asgi import Answer, Asgi
from tests.whole import whole_cloud

Json = dict[str, Any]
HOST = "host1"
PEOPLE = (
    "admin", "manager", "member", "reader", "other", "domain", "system", "unscoped", "none",
    "project_admin", "domain_admin", "domain_member", "domain_reader", "system_admin", "system_member", "service",
)  # fmt: skip
VERSIONS = {"openstack-api-version": "compute 2.96,placement 1.39"}
QUICK = IdentitySettings(password_memory=8, password_passes=1)
USER_DATA = "I2Nsb3VkLWNvbmZpZwo="


def password_of(name: str) -> str:
    return f"{name}-Known-Secret-77"


async def _agent(method: str, args: Mapping[str, Any]) -> Any:
    """What a host answers: a console log is all that it is asked for."""
    return f"the console of {args['server_id']}" if method == "console_log" else None


class World:
    """`ids["red"]` … by the kind of thing; the people `manager`, `member`, `reader` are red's, `other` is blue's."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.app = App(cloud, SERVICES)
        self.client = Asgi(self.app)
        self.metadata = Asgi(App(cloud, OWN_PORT, prefixed=False))
        self.client.runner.run(cloud.bus.serve(agent_topic(HOST), _agent))
        self.tokens: dict[str, str | None] = {"none": None}
        self.ids: dict[str, dict[str, str]] = {"red": {}, "blue": {}, "shared": {}}

    def close(self) -> None:
        self.client.close()
        self.metadata.close()

    def ask(self, who: str, method: str, path: str, body: object = None, **headers: str) -> Answer:
        said = VERSIONS | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.ask(method, path, body, token=self.tokens[who], headers=said)

    def must(self, who: str, method: str, path: str, body: object = None, **headers: str) -> Any:
        answer = self.ask(who, method, path, body, **headers)
        assert answer.status < 300, f"{who} {method} {path}: {answer.status} {answer.body.decode()}"
        return answer.json if answer.body else None

    def log_in(self, name: str, password: str, scope: object) -> Answer:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        return self.client.ask("POST", "/identity/v3/auth/tokens", body)

    def enter(self, name: str, password: str, scope: object, *, known_as: str = "") -> str:
        answer = self.log_in(name, password, scope)
        assert answer.status == 201, answer.body
        token = answer.headers["x-subject-token"]
        self.tokens[known_as or name] = token
        return token

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Whatever requests write meanwhile is rolled back: the same question gets the same answer again."""
        database: Any = self.cloud.db
        session, writing = database.session, database.writing

        def forgetful(*, write: bool) -> Session:
            made: Any = session(write=write)
            commit = made.rollback

            def flush_only() -> None:
                made.flush()
                commit()

            made.commit = flush_only
            found: Session = made
            return found

        @contextmanager
        def tried() -> Iterator[Session]:
            with session(write=True) as made:
                yield made
                made.flush()
                made.rollback()

        calls: Any = Call
        after_commit = calls.after_commit
        database.session, database.writing = forgetful, tried
        calls.after_commit = lambda call, action: None
        try:
            yield
        finally:
            database.session, database.writing = session, writing
            calls.after_commit = after_commit


def project(name: str) -> Json:
    return {"project": {"name": name, "domain": {"id": "default"}}}


def _people(world: World) -> None:
    """Users by their role; `domain` runs the Default domain, `system` may read all of the system, `service` is no one's."""
    roles = {r["name"]: r["id"] for r in world.must("admin", "GET", "/identity/v3/roles")["roles"]}
    for side in ("red", "blue"):
        made = world.must("admin", "POST", "/identity/v3/projects", {"project": {"name": side}})["project"]
        world.ids[side] |= {"project": made["id"], "domain": "default", "role": roles["reader"]}
    red, blue = world.ids["red"]["project"], world.ids["blue"]["project"]
    admins = world.must("admin", "GET", "/identity/v3/projects?name=admin")["projects"][0]
    world.ids["shared"]["project"] = admins["id"]
    services = world.must("admin", "GET", "/identity/v3/projects?name=service")["projects"][0]
    places = {
        "manager": ("manager", f"projects/{red}"),
        "member": ("member", f"projects/{red}"),
        "reader": ("reader", f"projects/{red}"),
        "other": ("member", f"projects/{blue}"),
        "domain": ("manager", "domains/default"),
        "system": ("reader", "system"),
        "unscoped": ("member", f"projects/{red}"),
        "project_admin": ("admin", f"projects/{red}"),
        "service": ("service", f"projects/{services['id']}"),
        **{f"domain_{role}": (role, "domains/default") for role in ("admin", "member", "reader")},
        **{f"system_{role}": (role, "system") for role in ("admin", "member")},
    }
    scopes: dict[str, object] = {"unscoped": "unscoped", "other": project("blue"), "service": project("service")}
    for name, (role, place) in places.items():
        if place == "domains/default":
            scopes[name] = {"domain": {"id": "default"}}
        elif place == "system":
            scopes[name] = {"system": {"all": True}}
        user = {"name": name, "password": password_of(name), "domain_id": "default"}
        made = world.must("admin", "POST", "/identity/v3/users", {"user": user})["user"]
        world.must("admin", "PUT", f"/identity/v3/{place}/users/{made['id']}/roles/{roles[role]}")
        world.ids["shared"][f"{name}_id"] = made["id"]
        world.enter(name, password_of(name), scopes.get(name, project("red")))
    for side, name in (("red", "member"), ("blue", "other")):
        world.ids[side]["user"] = world.ids["shared"][f"{name}_id"]


def _image(world: World, who: str, name: str, **more: object) -> str:
    wish = {"name": name, "disk_format": "raw", "container_format": "bare", "tags": ["known"], **more}
    made: str = world.must(who, "POST", "/image/v2/images", wish)["id"]
    octets = {"content_type": "application/octet-stream"}
    world.must(who, "PUT", f"/image/v2/images/{made}/file", bytes(1024), **octets)
    return made


def _side(world: World, side: str, who: str, number: int) -> None:
    ids, own = world.ids[side], world.ids[side]["project"]
    other = world.ids["blue" if side == "red" else "red"]["project"]

    def make(service: str, plural: str, singular: str, **wish: object) -> Json:
        made: Json = world.must(who, "POST", f"/{service}/{plural}", {singular: wish})[singular]
        return made

    ids["network"] = make("network/v2.0", "networks", "network", name=f"{side}-net")["id"]
    subnet = {"network_id": ids["network"], "ip_version": 4, "cidr": f"10.{number}.0.0/24"}
    ids["subnet"] = make("network/v2.0", "subnets", "subnet", **subnet)["id"]
    ids["port"] = make("network/v2.0", "ports", "port", network_id=ids["network"], name="known")["id"]
    gateway = {"network_id": world.ids["shared"]["network"]}
    apart = make("network/v2.0", "networks", "network", name=f"{side}-apart")["id"]
    make("network/v2.0", "subnets", "subnet", network_id=apart, ip_version=4, cidr=f"10.{number + 10}.0.0/24")
    ids["loose_port"] = make("network/v2.0", "ports", "port", network_id=apart)["id"]
    ids["router"] = make("network/v2.0", "routers", "router", name=side, external_gateway_info=gateway)["id"]
    world.must(who, "PUT", f"/network/v2.0/routers/{ids['router']}/add_router_interface", {"subnet_id": ids["subnet"]})
    ids["floatingip"] = make(
        "network/v2.0", "floatingips", "floatingip", floating_network_id=gateway["network_id"], port_id=ids["port"]
    )["id"]
    ids["security_group"] = make("network/v2.0", "security-groups", "security_group", name=f"{side}-group")["id"]
    rule = {"security_group_id": ids["security_group"], "direction": "ingress", "protocol": "icmp"}
    ids["rule"] = make("network/v2.0", "security-group-rules", "security_group_rule", **rule)["id"]
    ids["shared_port"] = make("network/v2.0", "ports", "port", network_id=gateway["network_id"])["id"]
    pool = {"name": side, "prefixes": [f"10.{number + 100}.0.0/16"]}
    ids["subnetpool"] = make("network/v2.0", "subnetpools", "subnetpool", **pool)["id"]
    for kind in ("network", "subnet", "port", "router", "floatingip", "subnetpool", "security_group"):
        plural = kind.replace("_", "-") + "s"
        world.must(who, "PUT", f"/network/v2.0/{plural}/{ids[kind]}/tags/known")
    ids["image"] = _image(world, who, f"{side}-image", secret=f"{side}-property")
    world.must(who, "POST", f"/image/v2/images/{ids['image']}/members", {"member": world.ids["shared"]["project"]})
    ids["member"] = world.ids["shared"]["project"]
    ids["image_to_other"] = _image(world, who, f"{side}-lent")
    world.must(who, "POST", f"/image/v2/images/{ids['image_to_other']}/members", {"member": other})
    ids["server_group"] = make("compute/v2.1", "os-server-groups", "server_group", name=side, policy="affinity")["id"]
    ids["keypair"] = f"{side}-key"
    make("compute/v2.1", "os-keypairs", "keypair", name=ids["keypair"], public_key=PUBLIC_KEY)
    server = {
        "name": f"{side}-server",
        "imageRef": ids["image"],
        "flavorRef": "42",
        "networks": [{"uuid": ids["network"]}],
        "metadata": {"known": "value"},
        "tags": ["known"],
        "user_data": USER_DATA,
    }
    ids["server"] = make("compute/v2.1", "servers", "server", **server)["id"]
    ids["server_port"] = world.must(who, "GET", f"/network/v2.0/ports?device_id={ids['server']}")["ports"][0]["id"]
    history = world.must(who, "GET", f"/compute/v2.1/servers/{ids['server']}/os-instance-actions")
    ids["request"] = history["instanceActions"][0]["request_id"]
    credential = {"name": side, "secret": password_of(f"{side}-credential")}
    ids["application_credential"] = make(
        f"identity/v3/users/{ids['user']}", "application_credentials", "application_credential", **credential
    )["id"]
    for kind, name in (("groups", "group"), ("roles", "other_role")):
        singular = kind[:-1]
        made = world.must("admin", "POST", f"/identity/v3/{kind}", {singular: {"name": f"{side}-{singular}"}})
        ids[name] = made[singular]["id"]
    world.must("admin", "PUT", f"/identity/v3/projects/{own}/tags/known")
    with world.cloud.db.writing() as db:
        row = db.get(Server, ids["server"])
        assert row is not None and row.host == HOST
        row.launched_at, row.observed_generation, row.retry_at = clock.now(), row.generation, None
        db.add(Guest(server_id=row.id, host=HOST, state="running", generation=row.generation))


PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJSNrQmHlaxSoBQGSwYjXbTPvOqpvpNEvEKrCRaTLDwg known"


def _shared(world: World) -> None:
    ids = world.ids["shared"]
    wish: Mapping[str, object] = {"name": "outside", "router:external": True, "shared": True}
    ids["network"] = world.must("admin", "POST", "/network/v2.0/networks", {"network": wish})["network"]["id"]
    subnet = {"network_id": ids["network"], "ip_version": 4, "cidr": "203.0.113.0/24"}
    ids["subnet"] = world.must("admin", "POST", "/network/v2.0/subnets", {"subnet": subnet})["subnet"]["id"]
    pool = {"name": "all", "prefixes": ["10.200.0.0/16"], "shared": True}
    ids["subnetpool"] = world.must("admin", "POST", "/network/v2.0/subnetpools", {"subnetpool": pool})["subnetpool"][
        "id"
    ]
    ids["image"] = _image(world, "admin", "public-image", visibility="public")
    for kind in ("networks", "subnets", "subnetpools"):
        world.must("admin", "PUT", f"/network/v2.0/{kind}/{ids[kind[:-1]]}/tags/known")
    ids["provider"] = world.must("admin", "GET", "/placement/resource_providers")["resource_providers"][0]["uuid"]
    aggregate = world.must("admin", "POST", "/compute/v2.1/os-aggregates", {"aggregate": {"name": "rack"}})
    ids["aggregate"] = str(aggregate["aggregate"]["id"])
    ids["agent"] = world.must("admin", "GET", "/network/v2.0/agents")["agents"][0]["id"]
    found = world.must("admin", "GET", "/compute/v2.1/os-hypervisors")["hypervisors"][0]
    ids["hypervisor"] = found["id"]
    ids["compute_service"] = world.must("admin", "GET", "/compute/v2.1/os-services")["services"][0]["id"]
    for plural in ("services", "endpoints"):
        found = world.must("admin", "GET", f"/identity/v3/{plural}")[plural]
        ids[plural[:-1]] = found[0]["id"] if found else "none"


def _host(cloud: Cloud) -> None:
    with cloud.db.writing() as db:
        facts = HostFacts("QEMU", 8002000, 16, 16384, 500, {"arch": "x86_64"})
        register.host(db, cloud.settings(ComputeSettings), HOST, "192.0.2.1", facts)
        network.register_host(db, HOST, "192.0.2.1", ["public"], "fake")


@contextmanager
def world_of(folder: Path) -> Iterator[World]:
    from tests.security import identity_things

    with whole_cloud(folder) as cloud:
        cloud.add(Hasher(QUICK))
        for manifest in cloud.manifests.values():
            if manifest.seed is not None:
                manifest.seed(cloud)
        _host(cloud)
        world = World(cloud, folder)
        try:
            world.enter("admin", cloud.config.secret("admin_password"), project("admin"))
            _people(world)
            _shared(world)
            identity_things.of_all(world)
            _side(world, "red", "member", 1)
            _side(world, "blue", "other", 2)
            identity_things.of_a_side(world, "red", "member")
            identity_things.of_a_side(world, "blue", "other")
            yield world
        finally:
            world.close()
