"""The control plane's side of the bus with the host agents: what is wanted of a host, and what a host reports.

Agents hold no database credentials. Everything here is safe to ask or say twice.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pileus.compute.drivers.base import GuestSpec, HostFacts, ImageRef, NicSpec
from pileus.compute.guests.models import Guest
from pileus.compute.hosts import register
from pileus.compute.hosts.wire import GuestReport, GuestWanted, HostReport, Wanted
from pileus.compute.internal import ConfigDrives
from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import claims, layout
from pileus.compute.topology.guest import GuestHardware
from pileus.identity import internal as identity
from pileus.image import internal as images
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.network import internal as network
from pileus.network.internal import PortFacts


class Desk:
    """Handler of the `control` topic; `touched` is told of servers that have news."""

    def __init__(self, cloud: Cloud, touched: Callable[[str], object]) -> None:
        self.cloud = cloud
        self.touched = touched
        self.methods: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "hello": self.hello,
            "wanted": self.wanted,
            "report": self.report,
            "image": self.image,
            "server": self.server,
        }

    async def handle(self, method: str, args: Mapping[str, Any]) -> Any:
        return await asyncio.to_thread(self.methods[method], args)

    def server(self, args: Mapping[str, Any]) -> None:
        self.touched(str(args["server_id"]))

    def hello(self, args: Mapping[str, Any]) -> None:
        """An agent started: what its host is and has."""
        facts = msgspec.convert(args["facts"], HostFacts)
        with self.cloud.db.writing() as db:
            register.host(db, self.cloud.settings(ComputeSettings), str(args["host"]), str(args["address"]), facts)
            network.register_host(
                db, str(args["host"]), str(args["address"]), list(args["physical_networks"]), str(args["mechanism"])
            )

    def wanted(self, args: Mapping[str, Any]) -> Any:
        """Guests that are behind (all of them with `full`), and the network when its generation moved."""
        host, full = str(args["host"]), bool(args["full"])
        with self.cloud.db.reading() as db:
            generation = network.generation(db)
            snapshot = network.snapshot(db, host) if full or generation != args["network_generation"] else None
            query = select(Server).outerjoin(Guest, Guest.server_id == Server.id).where(Server.host == host)
            if not full:
                query = query.where(
                    or_(Guest.server_id.is_(None), Guest.generation < Server.generation, Server.wanted == "deleted")
                )
            servers = list(db.scalars(query.where(or_(Server.fault.is_(None), Server.wanted == "deleted"))))
            ports = network.ports_of(db, [server.id for server in servers])
            parts = claims.of_servers(db, [server.id for server in servers])
            guests = tuple(
                self._guest(db, server, ports.get(server.id, []), parts.get(server.id)) for server in servers
            )
            rows = db.execute(select(Server.id, Server.image_id).where(Server.host == host)).all() if full else []
        images = tuple({image_id for _, image_id in rows if image_id})
        known = tuple(server_id for server_id, _ in rows)
        return msgspec.to_builtins(Wanted(guests=guests, network=snapshot, full=full, images=images, servers=known))

    def _guest(
        self, db: Session, server: Server, ports: list[PortFacts], hardware: GuestHardware | None
    ) -> GuestWanted:
        drive = None
        if server.config_drive and server.wanted != "deleted":
            drive = self.cloud.part(ConfigDrives).files(db, server, ports)
        settings = self.cloud.settings(ComputeSettings)
        return GuestWanted(
            spec=spec_of(server, ports, drive, hardware),
            generation=server.generation,
            power=server.wanted,
            hard_reboots=server.hard_reboots,
            soft_reboots=server.soft_reboots,
            stop_grace=settings.stop_grace,
            reboot_grace=settings.soft_reboot_grace,
        )

    def report(self, args: Mapping[str, Any]) -> None:
        """Facts of a host: it is alive, its guests, its network."""
        report = msgspec.convert(args["report"], HostReport)
        for server_id in self.cloud.db.transact(lambda db: self._store(db, report)):
            self.touched(server_id)

    def _store(self, db: Session, report: HostReport) -> list[str]:
        """Ids of servers that there is news of: their reconciler looks at them now."""
        register.seen(db, report.host, list(report.notes), list(report.network_notes), report.load)
        news = [fact.server_id for fact in report.guests if store(db, report.host, fact)]
        if report.network is not None:
            news += network.apply_report(db, report.network)
        for server in db.scalars(select(Server).where(Server.id.in_(news))):
            server.retry_at = clock.now()
        return news

    def image(self, args: Mapping[str, Any]) -> Any:
        """Where a host downloads an image, with a token that is good for that long."""
        with self.cloud.db.writing() as db:
            token = identity.service_token(self.cloud, db)
        return {"url": images.download_url(self.cloud, str(args["image_id"])), "token": token}


def image_ref(image_id: str, image: Mapping[str, Any]) -> ImageRef:
    """`image` is the copy that a server keeps; those of earlier releases know sha512 alone."""
    digest = image.get("hash_value", image.get("sha512", ""))
    return ImageRef(
        image_id,
        image["disk_format"],
        image["size"],
        digest,
        image.get("properties", {}),
        image.get("hash_algorithm", "sha512") if digest else "",
        image.get("container_format", "bare"),
    )


def spec_of(
    server: Server, ports: list[PortFacts], drive: dict[str, bytes] | None, hardware: GuestHardware | None = None
) -> GuestSpec:
    flavor, image = server.flavor, server.image
    ref = None
    if server.image_id is not None:
        ref = image_ref(server.image_id, image)
    return GuestSpec(
        server_id=server.id,
        name=server.name,
        project_id=server.project_id,
        vcpus=flavor["vcpus"],
        memory_mb=flavor["ram"],
        root_gb=flavor["disk"],
        ephemeral_gb=flavor["ephemeral"],
        swap_mb=flavor["swap"],
        image=ref,
        nics=tuple(NicSpec(port.id, port.mac_address, port.devname, port.mtu) for port in ports),
        config_drive=drive,
        extra_specs=flavor["extra_specs"],
        cpu_layout=layout.kept(flavor, image.get("properties", {}), len(hardware.cells) if hardware else 0),
        hardware=hardware,
    )


def store(db: Session, host: str, fact: GuestReport) -> bool:
    """Write one guest's facts. True when they are news. A late report of an older generation does not go back in time.

    The server's row is locked meanwhile, so that nobody forgets the server between the look and the writing.
    """
    if db.scalar(select(Server.id).where(Server.id == fact.server_id).with_for_update(read=True)) is None:
        return False
    guest = db.get(Guest, fact.server_id)
    if guest is None:
        guest = Guest(server_id=fact.server_id, host=host, state=fact.state, generation=fact.generation)
        db.add(guest)
        news = True
    else:
        news = (guest.state, guest.generation, guest.fault) != (
            fact.state,
            max(guest.generation, fact.generation),
            fact.fault,
        )
        guest.generation = max(guest.generation, fact.generation)
    guest.host, guest.state, guest.fault, guest.reported_at = host, fact.state, fact.fault, clock.now()
    return news
