"""What tempest is told of the cloud's images is what the cloud's configuration turns on."""

import tomllib
from configparser import ConfigParser
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from pileus.composition import load
from pileus.image.settings import ImageSettings
from tests.compat.tempest.configuration import TEMPLATE, fill, formats, images
from tests.compat.tempest.served import QCOW2, RAW, RAW_SIZE, port, served

CLOUD = Path(__file__).with_name("cloud.toml")
HTTP = "http://127.0.0.1:8790"
FLAGS = ("import_image", "manage_locations", "http_store_enabled", "image_conversion", "store_weight_enabled")


def told(values: dict[str, str]) -> ConfigParser:
    """The sections on images, filled."""
    text = TEMPLATE.read_text()
    parser = ConfigParser(interpolation=None)
    parser.read_string(fill(text[text.index("[image]") : text.index("[network]")], values))
    return parser


def test_the_clouds_configuration_turns_all_of_it_on(tmp_path: Path) -> None:
    settings = tomllib.loads(CLOUD.read_text())["image"]
    parser = told(images(settings, HTTP, tmp_path) | formats(False, ""))
    flags = parser["image-feature-enabled"]
    assert [flags.getboolean(name) for name in FLAGS] == [True] * len(FLAGS)
    assert parser["image"]["http_image"] == f"{HTTP}/{RAW}" and parser["image"]["http_qcow2_image"] == f"{HTTP}/{QCOW2}"
    assert flags.getboolean("image_format_enforcement") and "alternate_image_endpoint" not in parser["image"]


def test_a_cloud_without_it_has_it_off(tmp_path: Path) -> None:
    parser = told(images({}, "", tmp_path) | formats(True, "second"))
    flags = parser["image-feature-enabled"]
    assert [flags.getboolean(name) for name in FLAGS] == [False] * len(FLAGS)
    assert not flags.getboolean("image_format_enforcement")
    assert parser["image"]["alternate_image_endpoint"] == "second" and parser["image"]["disk_formats"] == "raw"


def test_the_cloud_reads_its_configuration_and_lets_tests_download(tmp_path: Path) -> None:
    config = load(tmp_path, CLOUD, {}).section(ImageSettings)
    assert {name: store.driver for name, store in config.stores.items()} == {
        "file": "file",
        "second": "file",
        "web": "http",
    }
    weights = [config.stores[name].weight for name in sorted(config.stores)]
    assert weights == sorted(weights, reverse=True)  # tempest compares the stores once by weight and once by name
    assert config.web.allow == (f"127.0.0.1:{port(tomllib.loads(CLOUD.read_text())['image'])}",)


@pytest.mark.parametrize("rules", [[], ["10.0.0.0/8", "127.0.0.1"], ["mirror.example:8790"]])
def test_no_port_on_loopback_is_none(rules: list[str]) -> None:
    assert port({"web": {"allow": rules}}) == 0


def test_images_are_served(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(b"QFI\xfb")
    with served(tmp_path / "served", disk, 0) as url:
        assert len(urlopen(f"{url}/{RAW}").read()) == RAW_SIZE
        with urlopen(Request(f"{url}/{QCOW2}", method="HEAD")) as reply:
            assert reply.headers["content-length"] == "4" and reply.read() == b""
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{url}/other")
