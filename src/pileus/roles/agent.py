"""The agent role: the only one that may be root. Makes guests and networks of this host what the control plane wants."""

import asyncio
import http.client
import logging
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

from pileus.compute.agent.arrival import Interrupted
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


def download(bus: Bus, loop: asyncio.AbstractEventLoop, image_id: str, start: int) -> Iterator[bytes]:
    """An image's bytes from `start` on, from the image API, with a short-lived token that the control plane gives."""
    try:
        answer = asyncio.run_coroutine_threadsafe(bus.call(CONTROL, "image", {"image_id": image_id}), loop).result()
    except BusError as error:
        raise Interrupted(str(error)) from None
    yield from read_url(answer["url"], answer["token"], start)


def read_url(address: str, token: str, start: int) -> Iterator[bytes]:
    """What a GET answers from byte `start` on. Raises Interrupted when it ends too early, GuestFailed when it is refused."""
    url = urlsplit(address)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=60)
    headers = {"x-auth-token": token} | ({"range": f"bytes={start}-"} if start else {})
    try:
        connection.request("GET", url.path, headers=headers)
        with connection.getresponse() as reply:
            said = f"{url.path} from byte {start}: {reply.status} {reply.reason}"
            if reply.status >= 500 or reply.status == 429:
                raise Interrupted(said)
            if reply.status != (206 if start else 200):
                raise GuestFailed("The image could not be downloaded to the host.", said)
            left = int(reply.headers.get("content-length", 0))
            while chunk := reply.read(CHUNK):
                left -= len(chunk)
                yield chunk
            if left > 0:
                raise Interrupted(f"{said}, then {left} bytes too few")
    except (OSError, http.client.HTTPException) as error:
        raise Interrupted(f"{url.path} from byte {start}: {error!r}") from None
    finally:
        connection.close()


async def run(conf: Config, bus: Bus, host: str) -> None:
    loop = asyncio.get_running_loop()
    settings = conf.section(AgentSettings)
    driver, network = drivers(conf, host)
    await asyncio.gather(asyncio.to_thread(driver.start), asyncio.to_thread(network.start))
    cache = BaseImages(
        conf.state / "compute" / "base",
        lambda image_id, start: download(bus, loop, image_id, start),
        settings.cache_min_free_gb << 30,
    )
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
