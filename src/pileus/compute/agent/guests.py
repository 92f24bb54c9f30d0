"""Making one guest what it should be: ensure after ensure, each safe to repeat, the journal last."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from pileus.compute.agent.images import disk_format
from pileus.compute.agent.journal import Entry, Journal
from pileus.compute.drivers.base import Driver, GuestFailed, ImageRef
from pileus.compute.hosts.wire import GuestReport, GuestWanted

log = logging.getLogger(__name__)
ABSENT = "absent"
POLL = 0.25  # seconds between looks at a guest that was asked to shut down


class Guests:
    """`base_image` gives the cached file of an image, downloading it when need be. Calls block, one at a time for each server."""

    def __init__(self, driver: Driver, journal: Journal, base_image: Callable[[ImageRef], Path], boot: str) -> None:
        self.driver = driver
        self.journal = journal
        self.base_image = base_image
        self.boot = boot

    def due(self, wanted: GuestWanted) -> bool:
        """Does anything need doing? A guest that shut itself down is left as it is: the control plane follows."""
        entry = self.journal.get(wanted.spec.server_id)
        return (
            wanted.power == "deleted"
            or entry is None
            or entry.generation < wanted.generation
            or entry.boot != self.boot
        )

    def converge(self, wanted: GuestWanted, failure: BaseException | None = None) -> GuestReport:
        """One step to what is wanted, and its outcome. `failure` is why the server's image can not be had, if that is known."""
        server_id = wanted.spec.server_id
        started = time.monotonic()
        try:
            if wanted.power == "deleted":
                self.driver.ensure_absent(server_id)
                self.journal.drop(server_id)
                return GuestReport(server_id, ABSENT, wanted.generation)
            if self.due(wanted):
                if failure is not None:
                    raise failure
                self._build(wanted)
        except GuestFailed as error:
            return self._failed(wanted, error)
        except Exception as error:
            log.exception("guest %s", server_id)
            return self._failed(
                wanted, GuestFailed("The host could not do what was asked.", f"{type(error).__name__}: {error}")
            )
        log.info(
            "guest %s: generation %d (%s) in %.3f s",
            server_id,
            wanted.generation,
            wanted.power,
            time.monotonic() - started,
        )
        return self.facts(server_id)

    def facts(self, server_id: str) -> GuestReport:
        entry = self.journal.get(server_id) or Entry()
        found = self.driver.guests().get(server_id)
        return GuestReport(server_id, found.state if found else "stopped", entry.generation)

    def _build(self, wanted: GuestWanted) -> None:
        spec, driver = wanted.spec, self.driver
        entry = self.journal.get(spec.server_id) or Entry()
        base = None
        if spec.image is not None:
            base = self.base_image(spec.image)
            copy = msgspec.structs.replace(spec.image, disk_format=disk_format(spec.image))
            spec = msgspec.structs.replace(spec, image=copy)
        driver.ensure_disks(spec, base)
        if wanted.power == "stopped":
            driver.ensure_stopped(spec.server_id, wanted.stop_grace)
        else:
            if wanted.hard_reboots > entry.hard_reboots:
                driver.ensure_stopped(spec.server_id, 0)
            elif wanted.soft_reboots > entry.soft_reboots:
                self._soft_reboot(wanted)
            driver.ensure_running(spec)
            if wanted.power == "paused":
                driver.ensure_paused(spec.server_id)
            else:
                driver.ensure_unpaused(spec.server_id)
        done = Entry(wanted.generation, wanted.hard_reboots, wanted.soft_reboots, boot=self.boot)
        self.journal.put(spec.server_id, done)

    def _soft_reboot(self, wanted: GuestWanted) -> None:
        """Ask the guest to shut down, wait for it as long as the grace, then it is started anew. A deaf guest is reset."""
        server_id = wanted.spec.server_id
        found = self.driver.guests().get(server_id)
        if found is None or found.state not in ("running", "paused"):
            return  # a reboot that was interrupted half way: it only wants starting
        deadline = time.monotonic() + wanted.reboot_grace
        self.driver.press_power_button(server_id)
        while time.monotonic() < deadline:
            found = self.driver.guests().get(server_id)
            if found is None or found.state in ("stopped", "crashed"):
                return
            time.sleep(POLL)
        self.driver.ensure_stopped(server_id, 0)

    def _failed(self, wanted: GuestWanted, failure: GuestFailed) -> GuestReport:
        server_id = wanted.spec.server_id
        log.warning("guest %s: %s (%s)", server_id, failure.message, failure.detail)
        entry = self.journal.get(server_id) or Entry()
        before = entry.attempts if entry.tried == wanted.generation else 0
        entry = msgspec.structs.replace(entry, attempts=before + 1, tried=wanted.generation)
        if wanted.power != "deleted":
            self.journal.put(server_id, entry)
        fault = {
            "message": failure.message,
            "detail": failure.detail,
            "permanent": failure.permanent,
            "attempts": entry.attempts,
            "generation": wanted.generation,
        }
        found = self.driver.guests().get(server_id)
        return GuestReport(server_id, found.state if found else "stopped", entry.generation, fault)
