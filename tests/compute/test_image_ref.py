"""What a host is told of a server's image."""

import pytest

from pileus.compute.drivers.base import ImageRef
from pileus.compute.hosts.desk import image_ref

IMAGE = {"disk_format": "qcow2", "size": 7, "container_format": "bare", "properties": {"hw_disk_bus": "scsi"}}


@pytest.mark.parametrize(
    ("hashes", "algorithm", "value"),
    [
        ({"hash_algorithm": "sha256", "hash_value": "ab"}, "sha256", "ab"),
        ({"hash_algorithm": "", "hash_value": ""}, "", ""),
        ({"sha512": "cd"}, "sha512", "cd"),
        ({"sha512": ""}, "", ""),
    ],
    ids=["any hash", "none", "of an earlier release", "none in an earlier release"],
)
def test_the_hash_is_the_image_s(hashes: dict[str, str], algorithm: str, value: str) -> None:
    assert image_ref("id", IMAGE | hashes) == ImageRef(
        "id", "qcow2", 7, value, {"hw_disk_bus": "scsi"}, algorithm, "bare"
    )
