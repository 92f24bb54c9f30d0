"""The config drive holds what the metadata API serves."""

import json

from pileus.compute import internal as compute
from pileus.compute.internal import ConfigDrives
from pileus.metadata.documents import openstack
from pileus.network import internal as network
from tests.metadata.conftest import USER_DATA, Guest


def files(guest: Guest, server_id: str) -> dict[str, bytes]:
    cloud = guest.cloud.cloud
    with cloud.db.reading() as db:
        server = compute.server(db, server_id)
        assert server is not None
        return cloud.part(ConfigDrives).files(db, server, network.ports_of(db, [server_id])[server_id])


def documents(raw: bytes) -> object:
    found = json.loads(raw)
    found.pop("random_seed", None)  # a new one each time
    return found


def test_each_file_of_the_openstack_tree_is_the_served_document(guest: Guest) -> None:
    found = {path: raw for path, raw in files(guest, guest.server["id"]).items() if path.startswith("openstack/")}
    versions = {path.split("/")[1] for path in found}
    assert versions == {version for version in openstack.VERSIONS if version >= "2015"}
    for version in versions:
        listed = set(guest.text(f"/openstack/{version}").splitlines()) - {"password"}
        assert {path.split("/")[2] for path in found if path.split("/")[1] == version} == listed
    for path, raw in found.items():
        served = guest.ask(f"/{path}").content
        if path.endswith("user_data"):
            assert raw == served == USER_DATA
        else:
            assert documents(raw) == documents(served), path


def test_the_ec2_tree_is_one_document_a_version(guest: Guest) -> None:
    found = {path: raw for path, raw in files(guest, guest.server["id"]).items() if path.startswith("ec2/")}
    assert sorted(found) == [
        f"ec2/{version}/{name}" for version in ("2009-04-04", "latest") for name in ("meta-data.json", "user-data")
    ]
    tree = json.loads(found["ec2/latest/meta-data.json"])
    for name, value in tree.items():
        if isinstance(value, str):
            assert value == guest.text(f"/latest/meta-data/{name}")
        elif name != "public-keys":
            assert value == {key: guest.text(f"/latest/meta-data/{name}/{key}") for key in value}
    keys = tree["public-keys"]["0=my key"]
    assert keys == {"openssh-key": guest.text("/latest/meta-data/public-keys/0/openssh-key")}


def test_no_user_data_no_file(guest: Guest) -> None:
    assert not [path for path in files(guest, guest.bare["id"]) if "user" in path]
