"""The description of a guest: what users may ask for, and that nothing they write becomes markup."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from pileus.compute.drivers.base import GuestFailed, GuestSpec, ImageRef, NicSpec
from pileus.compute.drivers.libvirt.domain_xml import Platform, domain_xml
from pileus.compute.drivers.libvirt.guest_files import GuestFiles
from pileus.compute.drivers.libvirt.qemu_user import QemuUser
from tests.drivers.compute.rig import a_server

PLATFORM = Platform("qemu", "Nehalem", "pc")
FILES = GuestFiles(Path("/state/guests"), QemuUser(64055, 64055))


def an_image(**properties: str) -> ImageRef:
    return ImageRef("0f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "qcow2", 1, "0" * 128, properties)


def parsed(spec: GuestSpec) -> ElementTree.Element:
    return ElementTree.fromstring(domain_xml(spec, FILES, PLATFORM))


def test_a_guest_is_known_by_its_server() -> None:
    spec = a_server("web")
    xml = parsed(spec)
    assert xml.findtext("name") == f"instance-{spec.server_id}"
    assert xml.findtext("uuid") == spec.server_id
    assert xml.findtext("metadata/{urn:pileus:server:1}server/{urn:pileus:server:1}name") == "web"
    assert xml.findtext("sysinfo/system/entry[@name='product']") == "OpenStack Compute"


def test_a_name_is_text_and_never_markup() -> None:
    name = "</name><qemu:arg value='x'/>&\x00\x1b\ud800"
    xml = parsed(a_server(name))
    assert (
        xml.findtext("metadata/{urn:pileus:server:1}server/{urn:pileus:server:1}name")
        == "</name><qemu:arg value='x'/>&"
    )
    assert {child.tag for child in xml} >= {"name", "uuid", "devices"}
    assert not [child for child in xml.iter() if child.tag.endswith("arg")]


def test_disks_in_order_with_formats_from_their_names() -> None:
    xml = parsed(a_server(image=an_image(), ephemeral_gb=1, swap_mb=8, config_drive={}))
    disks = xml.findall("devices/disk")
    assert [disk.findtext("serial") for disk in disks] == ["root", "ephemeral0", "swap", "config-2"]
    assert [target.get("dev") for target in xml.findall("devices/disk/target")] == ["vda", "vdb", "vdc", "vdd"]
    assert [driver.get("type") for driver in xml.findall("devices/disk/driver")] == ["qcow2", "raw", "raw", "raw"]
    assert [disk.find("boot") is not None for disk in disks] == [True, False, False, False]
    assert disks[3].find("readonly") is not None


def test_a_blank_root_disk_is_raw() -> None:
    driver = parsed(a_server()).find("devices/disk/driver")
    assert driver is not None
    assert driver.get("type") == "raw"


def test_cards_on_their_taps() -> None:
    nics = (NicSpec("one", "fa:16:3e:00:00:01", "tap1", 1450), NicSpec("two", "fa:16:3e:00:00:02", "tap2", 1500))
    cards = parsed(a_server(nics=nics, image=an_image(hw_vif_model="e1000"))).findall("devices/interface")
    found = [[card.find(tag) for tag in ("mac", "target", "mtu", "model")] for card in cards]
    assert [[str(part.attrib) for part in card if part is not None] for card in found] == [
        [
            f"{{'address': '{n.mac}'}}",
            f"{{'dev': '{n.tap}', 'managed': 'no'}}",
            f"{{'size': '{n.mtu}'}}",
            "{'type': 'e1000'}",
        ]
        for n in nics
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw_disk_bus", "floppy"),
        ("hw_disk_bus", "virtio'/><evil/>"),
        ("hw_cdrom_bus", ""),
        ("hw_vif_model", "VMXNET9"),
        ("hw_video_model", "3dfx"),
        ("hw_machine_type", "isapc"),
        ("hw_machine_type", "pc-i440fx-7.2\n"),
        ("hw_firmware_type", "uefi"),
        ("hw_architecture", "aarch64"),
    ],
)
def test_what_is_not_offered_is_refused_for_good(name: str, value: str) -> None:
    with pytest.raises(GuestFailed, match=name) as failed:
        parsed(a_server(image=an_image(**{name: value}), config_drive={}))
    assert failed.value.permanent


def test_host_passthrough_names_no_model() -> None:
    cpu = ElementTree.fromstring(domain_xml(a_server(), FILES, Platform("kvm", "host-passthrough", "pc"))).find("cpu")
    assert cpu is not None
    assert (cpu.get("mode"), cpu.find("model")) == ("host-passthrough", None)


def test_an_id_that_is_no_id_names_no_file() -> None:
    with pytest.raises(ValueError, match="not a server id"):
        FILES.folder("../../etc")
