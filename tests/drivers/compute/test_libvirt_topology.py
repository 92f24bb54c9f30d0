"""NUMA cells, CPUs, pages and devices: what libvirt says of the host, and what is said to libvirt of a guest."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from pileus.compute.drivers.base import GuestSpec
from pileus.compute.drivers.libvirt import Driver, Settings, machine
from pileus.compute.drivers.libvirt.domain_xml import Platform, domain_xml
from pileus.compute.drivers.libvirt.guest_files import GuestFiles
from pileus.compute.drivers.libvirt.machine import cells_of, device_of
from pileus.compute.drivers.libvirt.qemu_user import QemuUser
from pileus.compute.topology.fit import place
from pileus.compute.topology.guest import CpuLayout, GuestCell, GuestHardware
from pileus.compute.topology.hardware import Cell, Device, DeviceSpec, Hardware, Pages
from pileus.compute.topology.room import Room
from pileus.compute.topology.wish import read
from tests.drivers.compute.rig import a_server, own_network, why_no_libvirt

FILES = GuestFiles(Path("/state/guests"), QemuUser(64055, 64055))
CAPABILITIES = """
<capabilities><host><topology><cells num='2'>
  <cell id='0'>
    <memory unit='KiB'>4194304</memory>
    <pages unit='KiB' size='4'>786432</pages><pages unit='KiB' size='2048'>512</pages>
    <distances><sibling id='0' value='10'/></distances>
    <cpus num='2'>
      <cpu id='0' socket_id='0' die_id='0' core_id='0' siblings='0,2'/>
      <cpu id='2' socket_id='0' die_id='0' core_id='0' siblings='0,2'/>
    </cpus>
  </cell>
  <cell id='1'>
    <memory unit='KiB'>2097152</memory>
    <cpus num='2'>
      <cpu id='1' socket_id='1' core_id='0' siblings='1'/><cpu id='3' socket_id='1' core_id='1' siblings='3'/>
    </cpus>
  </cell>
</cells></topology></host></capabilities>
"""
FUNCTION = """
<device><name>pci_0000_41_10_1</name><capability type='pci'>
  <class>0x020000</class><domain>0</domain><bus>65</bus><slot>16</slot><function>1</function>
  <product id='0x10ed'>82599</product><vendor id='0x8086'>Intel</vendor>
  <capability type='{kind}'>{inside}</capability>
  {node}
</capability></device>
"""


def guest(**more: object) -> GuestSpec:
    cells = (
        GuestCell((0, 1), 64, 1, pins=((0, 4), (1, 6)), shared=()),
        GuestCell((2, 3), 64, 0, pins=((2, 1),), shared=(2, 3)),
    )
    hardware = GuestHardware(cells, 2048, (1, 2, 3, 4, 6), (), ("0000:41:10.1",))
    made = a_server(memory_mb=128)
    return msgspec.structs.replace(made, vcpus=4, hardware=hardware, cpu_layout=CpuLayout(2, 1, 2), **more)


def described(spec: GuestSpec, shared: str = "") -> str:
    return domain_xml(spec, FILES, Platform("qemu", "Nehalem", "pc", shared))


def test_cells_of_a_host() -> None:
    assert cells_of(CAPABILITIES) == (
        Cell(0, ((0, 2),), 4096, (Pages(2048, 512),), 0),
        Cell(1, ((1,), (3,)), 2048, (), 1),
    )
    assert cells_of("<capabilities><host/></capabilities>") == ()


@pytest.mark.parametrize(
    ("kind", "inside", "node", "made"),
    [
        ("pci-express", "", "<numa node='1'/>", ("type-PCI", 1, None)),
        ("virt_functions", "", "", ("type-PF", None, None)),
        (
            "phys_function",
            "<address domain='0x0000' bus='0x41' slot='0x00' function='0x0'/>",
            "<numa node='0'/>",
            ("type-VF", 0, "0000:41:00.0"),
        ),
    ],
)
def test_devices_of_a_host(kind: str, inside: str, node: str, made: tuple[str, int | None, str | None]) -> None:
    found = device_of(FUNCTION.format(kind=kind, inside=inside, node=node))
    assert isinstance(found, Device)
    assert (found.address, found.vendor_id, found.product_id) == ("0000:41:10.1", "8086", "10ed")
    assert (found.type, found.numa_node, found.parent) == made
    assert device_of("<device><capability type='usb_device'/></device>") is None


def test_pages_need_a_filesystem(tmp_path: Path) -> None:
    cells = cells_of(CAPABILITIES)
    mounts, reserved = tmp_path / "mounts", tmp_path / "pages" / "hugepages-2048kB" / "nr_hugepages"
    reserved.parent.mkdir(parents=True)
    reserved.write_text("512\n")
    mounts.write_text("proc /proc proc rw 0 0\n")
    assert [(cell.memory_mb, cell.pages) for cell in machine.usable(cells, mounts)] == [(3072, ()), (2048, ())]
    (note,) = machine.notes(Hardware(), pages=tmp_path / "pages", mounts=mounts)
    assert "no hugetlbfs is mounted" in note
    mounts.write_text("hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=2M 0 0\n")
    assert machine.usable(cells, mounts) == cells
    assert machine.notes(Hardware(), pages=tmp_path / "pages", mounts=mounts) == ()


def test_devices_need_an_iommu(tmp_path: Path) -> None:
    device = device_of(FUNCTION.format(kind="pci-express", inside="", node=""))
    assert device is not None
    assert machine.notes(Hardware(), tmp_path / "absent") == ()
    (note,) = machine.notes(Hardware(devices=(device,)), tmp_path)
    assert "no IOMMU" in note
    (tmp_path / "0").mkdir()
    assert machine.notes(Hardware(devices=(device,)), tmp_path) == ()


def test_a_guest_on_two_cells() -> None:
    xml = ElementTree.fromstring(described(guest()))
    pins = {pin.get("vcpu"): pin.get("cpuset") for pin in xml.iterfind("cputune/vcpupin")}
    assert pins == {"0": "4", "1": "6", "2": "1", "3": "2-3"}
    assert [pin.get("cpuset") for pin in xml.iterfind("cputune/emulatorpin")] == ["1-4,6"]
    assert [node.attrib for node in xml.iterfind("numatune/memnode")] == [
        {"cellid": "0", "mode": "strict", "nodeset": "1"},
        {"cellid": "1", "mode": "strict", "nodeset": "0"},
    ]
    assert [cell.get("cpus") for cell in xml.iterfind("cpu/numa/cell")] == ["0-1", "2-3"]
    assert [cell.get("memory") for cell in xml.iterfind("cpu/numa/cell")] == ["64", "64"]
    assert [page.attrib for page in xml.iterfind("memoryBacking/hugepages/page")] == [
        {"size": "2048", "unit": "KiB", "nodeset": "0-1"}
    ]
    assert [t.attrib for t in xml.iterfind("cpu/topology")] == [
        {"sockets": "2", "dies": "1", "cores": "1", "threads": "2"}
    ]
    assert [place.attrib for place in xml.iterfind("devices/hostdev/source/address")] == [
        {"domain": "0x0000", "bus": "0x41", "slot": "0x10", "function": "0x1"}
    ]


def test_other_guests_keep_to_the_shared_cpus() -> None:
    for spec, cpuset in ((a_server(), "0,4"), (guest(), None)):
        vcpu = ElementTree.fromstring(described(spec, "0,4")).find("vcpu")
        assert vcpu is not None and vcpu.get("cpuset") == cpuset
    assert "cpuset" not in described(a_server()) and "numatune" not in described(a_server())


def test_small_pages_are_nothing_special() -> None:
    spec = guest()
    assert spec.hardware is not None
    small = msgspec.structs.replace(spec, hardware=msgspec.structs.replace(spec.hardware, page_kb=4))
    assert "hugepages" not in described(small) and "numatune" in described(small)


@pytest.mark.parametrize(
    ("broken", "taken"), [("", True), ("<vcpupin ", False)], ids=["as-it-is", "with-an-unknown-element"]
)
def test_libvirts_schema_takes_it(tmp_path: Path, broken: str, taken: bool) -> None:
    if missing := [name for name in ("virt-xml-validate", "xmllint") if shutil.which(name) is None]:
        pytest.skip(f"needs {', '.join(missing)} (libvirt-clients, libxml2-utils)")
    for spec in (guest(), a_server()) if taken else (guest(),):
        file = tmp_path / f"{spec.server_id}.xml"
        text = described(spec, "0-1")
        file.write_text(text.replace(broken, "<vcpupinned ") if broken else text)
        command = ["virt-xml-validate", str(file), "domain"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
        assert (done.returncode == 0) is taken, done.stdout + done.stderr


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    if why := why_no_libvirt():
        pytest.skip(why)
    tmp_path.chmod(0o711)
    settings = Settings(
        state_dir=str(tmp_path),
        virt_type="qemu",
        cpu_dedicated_set="0",
        cpu_shared_set="1",
        pci_device_spec=(DeviceSpec(),),
    )
    with own_network():
        made = Driver(settings)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two CPUs")
def test_a_real_guest_on_its_own_cpu(driver: Driver) -> None:
    """From what libvirt says of this host to where the guest's threads may run."""
    hardware = driver.host_facts().hardware
    assert hardware.dedicated == (0,) and hardware.shared == (1,)
    assert hardware.cpus == set(range(os.cpu_count() or 1))
    known = {path.name for path in Path("/sys/bus/pci/devices").iterdir()}
    assert {device.address for device in hardware.devices} == known
    specs = {"hw:numa_nodes": "1", "hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "0"}
    wish = read({"vcpus": 2, "ram": 64, "extra_specs": specs}, {})
    found = place(Room(hardware), wish)
    assert isinstance(found, GuestHardware), found
    spec = msgspec.structs.replace(a_server(), vcpus=2, hardware=found)
    driver.ensure_disks(spec, None)
    driver.ensure_running(spec)
    try:
        domain = driver.connection.get().lookupByUUIDString(spec.server_id)
        xml = ElementTree.fromstring(domain.XMLDesc())
        assert [pin.attrib for pin in xml.iterfind("cputune/vcpupin")] == [
            {"vcpu": "0", "cpuset": "0"},
            {"vcpu": "1", "cpuset": "1"},
        ]
        assert xml.find("numatune/memnode[@nodeset='0']") is not None
        placed = [states[:2] for states in domain.vcpuPinInfo()]
        assert placed == [(True, False), (False, True)]
        assert threads_on(driver, spec.server_id) == {"CPU 0/TCG": {0}, "CPU 1/TCG": {1}}
    finally:
        driver.ensure_absent(spec.server_id)


def threads_on(driver: Driver, server_id: str) -> dict[str, set[int]]:
    """Of the guest's virtual CPUs: the host CPUs that the kernel lets each thread run on."""
    pid = next(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and server_id.encode() in _cmdline(entry)
    )
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("CPU "):
            found[name] = os.sched_getaffinity(int(task.name))
    return found


def _cmdline(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def free_pages() -> int:
    """Of 2 MiB, that a guest could have now."""
    pool = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    mounted = "hugetlbfs" in Path("/proc/mounts").read_text()
    return int(pool.read_text()) if mounted and pool.exists() else 0


@pytest.mark.skipif(free_pages() < 32, reason="needs 32 free pages of 2 MiB and a mounted hugetlbfs")
def test_a_real_guest_on_huge_pages(driver: Driver) -> None:
    before = free_pages()
    specs = {"hw:mem_page_size": "2MB"}
    found = place(Room(driver.host_facts().hardware), read({"vcpus": 1, "ram": 64, "extra_specs": specs}, {}))
    assert isinstance(found, GuestHardware), found
    spec = msgspec.structs.replace(a_server(), hardware=found)
    driver.ensure_disks(spec, None)
    driver.ensure_running(spec)
    assert free_pages() == before - 32
    driver.ensure_absent(spec.server_id)
    assert free_pages() == before
