"""What this host offers: processors, memory, disk, and the traits that placement knows them by."""

import os
from pathlib import Path

import libvirt

from pileus.compute.drivers.base import HostFacts
from pileus.compute.topology.hardware import Hardware

CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
TRAITS = (
    "COMPUTE_IMAGE_TYPE_QCOW2",
    "COMPUTE_IMAGE_TYPE_RAW",
    "COMPUTE_NET_VIF_MODEL_E1000",
    "COMPUTE_NET_VIF_MODEL_E1000E",
    "COMPUTE_NET_VIF_MODEL_NE2K_PCI",
    "COMPUTE_NET_VIF_MODEL_PCNET",
    "COMPUTE_NET_VIF_MODEL_RTL8139",
    "COMPUTE_NET_VIF_MODEL_VIRTIO",
    "COMPUTE_GRAPHICS_MODEL_BOCHS",
    "COMPUTE_GRAPHICS_MODEL_CIRRUS",
    "COMPUTE_GRAPHICS_MODEL_NONE",
    "COMPUTE_GRAPHICS_MODEL_VGA",
    "COMPUTE_GRAPHICS_MODEL_VIRTIO",
    "COMPUTE_STORAGE_BUS_IDE",
    "COMPUTE_STORAGE_BUS_SATA",
    "COMPUTE_STORAGE_BUS_SCSI",
    "COMPUTE_STORAGE_BUS_USB",
    "COMPUTE_STORAGE_BUS_VIRTIO",
)
# Linux's name of a processor feature -> the trait; guests see them only with the host's own processor model
CPU_TRAITS = {
    "aes": "HW_CPU_X86_AESNI",
    "avx": "HW_CPU_X86_AVX",
    "avx2": "HW_CPU_X86_AVX2",
    "avx512f": "HW_CPU_X86_AVX512F",
    "bmi1": "HW_CPU_X86_BMI",
    "bmi2": "HW_CPU_X86_BMI2",
    "f16c": "HW_CPU_X86_F16C",
    "fma": "HW_CPU_X86_FMA3",
    "sha_ni": "HW_CPU_X86_SHA",
    "sse4_1": "HW_CPU_X86_SSE41",
    "sse4_2": "HW_CPU_X86_SSE42",
    "svm": "HW_CPU_X86_SVM",
    "vmx": "HW_CPU_X86_VMX",
}


def host_facts(
    connection: libvirt.virConnect,
    disks: Path,
    virt_type: str,
    cpu_model: str,
    notes: tuple[str, ...],
    hardware: Hardware,
) -> HostFacts:
    """Totals of this host; `disks` is a folder on the filesystem that guests' disks use."""
    cpu = processor()
    flags = cpu.pop("flags", "").split()
    if (virt_type, cpu_model) != ("kvm", "host-passthrough"):
        flags = []
    known = tuple(sorted(CPU_TRAITS[name] for name in flags if name in CPU_TRAITS))
    space = os.statvfs(disks)
    return HostFacts(
        hypervisor_type=connection.getType(),
        hypervisor_version=connection.getVersion(),
        vcpus=os.cpu_count() or 1,
        memory_mb=memory_bytes() // 2**20,
        disk_gb=space.f_frsize * space.f_blocks // 2**30,
        cpu_info=cpu | {"arch": "x86_64", "guest_model": cpu_model, "virt_type": virt_type},
        traits=TRAITS + known + (("HW_CPU_HYPERTHREADING",) if hardware.threads else ()),
        notes=notes,
        hardware=hardware,
    )


def processor(source: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """Vendor, model and flags of the first processor."""
    wanted = {"vendor_id": "vendor", "model name": "model", "flags": "flags"}
    found: dict[str, str] = {}
    for line in source.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in wanted:
            found.setdefault(wanted[name.strip()], value.strip())
    return found


def memory_bytes() -> int:
    """The machine's memory, or less where a control group limits us."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in CGROUP_LIMITS:
        try:
            total = min(total, int(limit.read_text()))
        except (OSError, ValueError):
            continue  # another generation of control groups, or no limit ("max")
    return total
