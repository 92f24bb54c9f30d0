"""The agent role: the only one that may be root. Makes guests and networks of this host what the control plane wants."""

import asyncio
import http.client
import logging
import signal
from typing import BinaryIO
from urllib.parse import urlsplit

from pileus.compute.agent.guests import Guests
from pileus.compute.agent.images import BaseImages
from pileus.compute.agent.journal import Journal, boot_id
from pileus.compute.agent.loop import Agent
from pileus.compute.agent.settings import AgentSettings
from pileus.compute.drivers import load as load_hypervisor
from pileus.compute.drivers.base import Driver, GuestFailed
from pileus.kernel.bus.base import CONTROL, Bus, BusError
from pileus.kernel.config import Config
from pileus.network.agent.snapshot import HostNetwork, PhysicalNetwork
from pileus.network.drivers import load as load_mechanism
from pileus.network.drivers.base import HostDriver

log = logging.getLogger(__name__)
CHUNK = 1 << 20


def host_network(conf: Config, host: str) -> HostNetwork:
    settings = conf.section(AgentSettings)
    public = PhysicalNetwork(
        bridge=settings.public_bridge,
        interface=settings.public_interface or None,
        address=settings.public_address or None,
        masquerade=settings.public_masquerade,
    )
    return HostNetwork(
        host=host,
        state=str(conf.state),
        tunnel_ip=settings.tunnel_ip,
        vxlan_port=settings.vxlan_port,
        physical_networks={"public": public},
        metadata_url=f"http://{conf.cloud.metadata_listen}",
        metadata_secret=conf.secret("metadata_secret"),
    )


def drivers(conf: Config, host: str) -> tuple[Driver, HostDriver]:
    """The hypervisor and the network mechanism that the configuration names."""
    hypervisor = load_hypervisor(conf.cloud.hypervisor, conf.state, conf.section(AgentSettings))
    return hypervisor, load_mechanism(conf.cloud.network_mechanism, host_network(conf, host))


def download(bus: Bus, loop: asyncio.AbstractEventLoop, image_id: str, out: BinaryIO) -> None:
    """An image's bytes, from the image API, with a short-lived token that the control plane gives."""
    try:
        answer = asyncio.run_coroutine_threadsafe(bus.call(CONTROL, "image", {"image_id": image_id}), loop).result()
    except BusError as error:
        raise GuestFailed("The image could not be downloaded to the host.", str(error)) from None
    url = urlsplit(answer["url"])
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=60)
    try:
        connection.request("GET", url.path, headers={"x-auth-token": answer["token"]})
        reply = connection.getresponse()
        if reply.status != 200:
            raise GuestFailed(
                "The image could not be downloaded to the host.", f"{url.path}: {reply.status} {reply.reason}"
            )
        while chunk := reply.read(CHUNK):
            out.write(chunk)
    except (OSError, http.client.HTTPException) as error:
        raise GuestFailed("The image could not be downloaded to the host.", str(error)) from None
    finally:
        connection.close()


async def run(conf: Config, bus: Bus, host: str) -> None:
    loop = asyncio.get_running_loop()
    settings = conf.section(AgentSettings)
    driver, network = drivers(conf, host)
    await asyncio.gather(asyncio.to_thread(driver.start), asyncio.to_thread(network.start))
    cache = BaseImages(conf.state / "compute" / "base", lambda image_id, out: download(bus, loop, image_id, out))
    guests = Guests(driver, Journal(conf.state / "agent"), cache.ensure, boot_id())
    agent = Agent(
        bus,
        driver,
        network,
        host_network(conf, host),
        guests,
        mechanism=conf.cloud.network_mechanism,
        interval=settings.interval,
        tidy=lambda images: cache.evict(images, settings.cache_max_gb << 30, settings.cache_max_days * 86400),
        ready=(conf.state / "agent" / "ready").touch,
    )
    work = asyncio.create_task(agent.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        log.info("agent stops; guests and networks stay")
    await asyncio.to_thread(network.stop, False)
    await bus.close()
