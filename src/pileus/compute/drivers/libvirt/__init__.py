"""The libvirt hypervisor driver: QEMU and KVM guests."""

from pileus.compute.drivers.libvirt.driver import Driver as Driver
from pileus.compute.drivers.libvirt.settings import Settings as Settings
