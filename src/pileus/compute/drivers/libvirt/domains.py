"""Guests as libvirt knows them: find, define, start, stop, pause, remove. Each function reaches its end state or raises."""

import time

import libvirt

from pileus.compute.drivers.base import GuestFacts, GuestFailed
from pileus.compute.drivers.libvirt.domain_xml import NAME_PREFIX

POWER_BUTTON_EVERY = 5.0  # seconds; a guest that was still booting misses the first press
POLL = 0.1
CRASHED = (libvirt.VIR_DOMAIN_SHUTOFF_CRASHED, libvirt.VIR_DOMAIN_SHUTOFF_FAILED)
ACTIVE = {
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "running",
    libvirt.VIR_DOMAIN_SHUTDOWN: "running",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "paused",
}
# The operation found what it wanted, or its guest, gone: another thread or the guest itself was faster.
GONE = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID)


def state_name(state: int, reason: int) -> str:
    """GuestFacts.state of a libvirt state and its reason."""
    if state in ACTIVE:
        return ACTIVE[state]
    crashed = state == libvirt.VIR_DOMAIN_CRASHED or (state == libvirt.VIR_DOMAIN_SHUTOFF and reason in CRASHED)
    return "crashed" if crashed else "stopped"


def all_guests(connection: libvirt.virConnect) -> dict[str, GuestFacts]:
    """Every guest with our name, in one call."""
    found = {}
    for domain, facts in connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE):
        if domain.name().startswith(NAME_PREFIX):
            server_id = domain.name().removeprefix(NAME_PREFIX)
            found[server_id] = GuestFacts(server_id, state_name(facts["state.state"], facts["state.reason"]))
    return found


def find(connection: libvirt.virConnect, server_id: str) -> libvirt.virDomain | None:
    try:
        return connection.lookupByUUIDString(server_id)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def state_of(domain: libvirt.virDomain) -> str:
    state, reason = domain.state()
    return state_name(state, reason)


def run(connection: libvirt.virConnect, server_id: str, xml: str) -> None:
    """Define the guest as `xml` says and start it; one that runs is left alone, one that is paused goes on."""
    domain = find(connection, server_id)
    state = state_of(domain) if domain else "stopped"
    if state == "running":
        return
    if domain is not None and state == "paused":
        domain.resume()
        return
    domain = connection.defineXML(xml)
    try:
        domain.create()
    except libvirt.libvirtError as error:
        if state_of(domain) != "running":
            raise GuestFailed("The hypervisor could not start the server.", str(error)) from error


def stop(connection: libvirt.virConnect, server_id: str, grace: float) -> None:
    """Stopped, definition kept. A paused guest cannot react to its power button: it is pulled."""
    domain = find(connection, server_id)
    if domain is None:
        return
    if state_of(domain) == "running" and grace > 0:
        wait_for_shutdown(domain, grace)
    destroy(domain)
    if state_of(domain) == "crashed":
        forget_crash(connection, domain)


def wait_for_shutdown(domain: libvirt.virDomain, grace: float) -> None:
    """Press the power button until the guest is off or `grace` seconds are over."""
    end = time.monotonic() + grace
    next_press = 0.0
    while (now := time.monotonic()) < end and domain.isActive():
        if now >= next_press:
            press_power_button(domain)
            next_press = now + POWER_BUTTON_EVERY
        time.sleep(POLL)


def press_power_button(domain: libvirt.virDomain) -> None:
    try:
        domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in GONE:
            raise


def destroy(domain: libvirt.virDomain) -> None:
    """Pull the plug; a guest that is off already is fine.

    libvirt itself must end qemu, though it looks only every 0.2 s: it would take the end of a qemu that others killed for
    a crash, and may come to that so late that it stops the guest's next qemu.
    """
    try:
        domain.destroy()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in GONE:
            raise


def forget_crash(connection: libvirt.virConnect, domain: libvirt.virDomain) -> None:
    """libvirt remembers why a guest went off until it starts again; a stopped guest is to be just that."""
    xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
    domain.undefine()
    connection.defineXML(xml)


def pause(connection: libvirt.virConnect, server_id: str) -> None:
    domain = find_active(connection, server_id)
    if state_of(domain) != "paused":
        domain.suspend()


def unpause(connection: libvirt.virConnect, server_id: str) -> None:
    domain = find_active(connection, server_id)
    if state_of(domain) == "paused":
        domain.resume()


def find_active(connection: libvirt.virConnect, server_id: str) -> libvirt.virDomain:
    domain = find(connection, server_id)
    if domain is None or not domain.isActive():
        raise GuestFailed("The server is not running.", f"no active guest {server_id}")
    return domain


def remove(connection: libvirt.virConnect, server_id: str) -> None:
    """No guest of this server, running or defined."""
    domain = find(connection, server_id)
    if domain is None:
        return
    destroy(domain)
    flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    flags |= libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    try:
        domain.undefineFlags(flags)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
