"""Hypervisors as drivers. Third parties add theirs under the entry point group `pileus.hypervisors`."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from pileus.compute.agent.settings import AgentSettings
from pileus.compute.drivers.base import Driver


def _libvirt(state: Path, settings: AgentSettings) -> Driver:
    from pileus.compute.drivers.libvirt import Driver as Libvirt
    from pileus.compute.drivers.libvirt import Settings

    folder = state / "compute"
    return Libvirt(
        Settings(
            state_dir=str(folder),
            virt_type=settings.virt_type,
            cpu_model=settings.cpu_model,
            machine=settings.machine,
            qemu_user=settings.qemu_user,
            console_log_bytes=settings.console_log_kib * 1024,
            cpu_dedicated_set=settings.cpu_dedicated_set,
            cpu_shared_set=settings.cpu_shared_set,
            pci_device_spec=settings.pci_device_spec,
        )
    )


def _fake(state: Path, settings: AgentSettings) -> Driver:
    from pileus.compute.drivers.fake import Driver as Fake
    from pileus.compute.drivers.fake import Settings

    return Fake(
        Settings(
            state_dir=str(state / "compute"),
            cpu_dedicated_set=settings.cpu_dedicated_set,
            cpu_shared_set=settings.cpu_shared_set,
            pci_device_spec=settings.pci_device_spec,
        )
    )


DRIVERS: dict[str, Callable[[Path, AgentSettings], Driver]] = {"libvirt": _libvirt, "fake": _fake}


def load(name: str, state: Path, settings: AgentSettings) -> Driver:
    """The named driver. Raises LookupError for an unknown name."""
    build = DRIVERS.get(name)
    if build is None:
        found = entry_points(group="pileus.hypervisors", name=name)
        if not found:
            raise LookupError(f"no hypervisor driver {name!r}; known: {', '.join(DRIVERS)}")
        driver: Driver = next(iter(found)).load()(state, settings)
        return driver
    return build(state, settings)
