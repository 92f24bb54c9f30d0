"""Every file of the corpus gets the verdict that stands beside it, and the tricks in it are real."""

from pathlib import Path

import pytest
import yaml
from tests.image.containers.packages import examine
from tests.image.formats import manifest
from tests.image.formats.corpus import CORPUS, GOOD, HOSTILE, Case

from pileus.image.formats import FormatRefused, qemu_img
from pileus.image.formats.qemu_img import DRIVERS

# Published weaknesses of image services and hypervisors that come from an image's bytes.
WEAKNESSES = {
    "CVE-2015-1851",
    "CVE-2015-5162",
    "CVE-2015-5163",
    "CVE-2022-47951",
    "CVE-2024-32498",
    "CVE-2024-40767",
    "CVE-2024-44082",
    "CVE-2026-24708",
}
REAL = {name: case for name, case in HOSTILE.items() if case.names_others}
OPENED = {name: case for name, case in GOOD.items() if case.container == "bare" and case.declared in DRIVERS}


def test_every_weakness_has_a_file() -> None:
    assert {weakness for case in HOSTILE.values() for weakness in case.weaknesses} == WEAKNESSES


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str) -> None:
    case = HOSTILE[name]
    with pytest.raises(FormatRefused, match=case.refusal):
        examine(case.make(), case.container, case.declared)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_taken_and_measured(name: str) -> None:
    case = GOOD[name]
    data = case.make()
    verdict = examine(data, case.container, case.declared)
    assert verdict.virtual_size == (case.virtual_size or len(data))


def written(folder: Path, case: Case) -> Path:
    path = folder / "disk"
    path.write_bytes(case.make())
    return path


@pytest.mark.parametrize("name", REAL)
def test_the_trick_is_real(tmp_path: Path, name: str) -> None:
    case = REAL[name]
    others = qemu_img.info(written(tmp_path, case), case.opened_as or case.declared).other_files
    assert any("/etc/passwd" in other for other in others)


@pytest.mark.parametrize("name", OPENED)
def test_qemu_sees_a_good_file_in_the_same_way(tmp_path: Path, name: str) -> None:
    case = OPENED[name]
    path = written(tmp_path, case)
    seen = qemu_img.info(path, case.declared)
    assert seen.other_files == []
    size = case.virtual_size or path.stat().st_size
    assert seen.virtual_size == size
    qemu_img.convert(path, case.declared, tmp_path / "raw", "raw")
    assert (tmp_path / "raw").stat().st_size == size


def test_the_corpus_can_be_written_for_tempest(tmp_path: Path) -> None:
    manifest.write(tmp_path)
    listed = yaml.safe_load((tmp_path / "manifest.yaml").read_text())["images"]
    assert {entry["name"] for entry in listed} <= CORPUS.keys()
    assert {entry["format"] for entry in listed} >= {"raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso"}
    for entry in listed:
        assert entry["usable"] is (entry["name"] in GOOD)
        assert (tmp_path / entry["filename"]).stat().st_size > 0
