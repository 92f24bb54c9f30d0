"""The well-known namespaces, the schemas, and what lists cost."""

import re

from sqlalchemy import event
from starlette.testclient import TestClient

from pileus.image.discovery.metadef_schemas import KEYWORDS, SCHEMAS
from pileus.image.metadefs.definitions import NamedDefinition
from pileus.image.metadefs.namespaces.schemas import NamespaceBody
from pileus.image.metadefs.seed import FOLDER, sow, wellknown
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, READER
from tests.image.api.test_metadefs import NAMESPACES, WHOLE, make, names


def test_the_wellknown_are_sown(cloud: Cloud, client: TestClient) -> None:
    sow(cloud)
    assert len(names(client, who=READER)) == len(list(FOLDER.glob("*.toml"))) > 20
    path = f"{NAMESPACES}/OS::Compute::VirtCPUTopology"
    shown = client.get(path, headers=READER).json()
    assert (shown["visibility"], shown["protected"], shown["owner"]) == ("public", True, "admin")
    for kind, name in (("OS::Glance::Image", "hw_cpu_cores"), ("OS::Nova::Flavor", "hw:cpu_cores")):
        assert client.get(f"{path}?resource_type={kind}", headers=READER).json()["properties"][name]["minimum"] == 1
    for_aggregates = names(client, "resource_types=OS::Nova::Aggregate", READER)
    assert "OS::Compute::HostCapabilities" in for_aggregates and "OS::Glance::Signatures" not in for_aggregates


def test_sowing_again_leaves_an_operators_edits(cloud: Cloud, client: TestClient) -> None:
    sow(cloud)
    path = f"{NAMESPACES}/OS::Compute::Watchdog"
    edited = {"namespace": "OS::Compute::Watchdog", "description": "our own", "visibility": "public"}
    assert client.put(path, json=edited, headers=ADMIN).status_code == 200
    assert client.delete(f"{path}/properties/watchdog_action", headers=ADMIN).status_code == 204
    before = client.get(path, headers=ADMIN).json()
    sow(cloud)
    assert client.get(path, headers=ADMIN).json() == before and "properties" not in before
    assert len(names(client)) == len(wellknown())


def test_the_files_say_what_they_mean() -> None:
    """Each property of each file has a text, limits that hold, and a default that is one of its values."""
    for body in wellknown():
        assert isinstance(body.description, str) and body.description.endswith("."), body.namespace
        groups = [body.properties, *(item.properties for item in body.objects or [])]
        found = [(name, item) for group in groups for name, item in (group or {}).items()]
        assert found and body.resource_type_associations, body.namespace
        assert len(found) == len({name for name, _ in found}), body.namespace
        for name, item in found:
            assert re.fullmatch(r"[a-z0-9_:]+", name), name
            assert item.title and item.description, name
            if item.enum and item.default:
                assert item.default in item.enum, name


def test_schemas_name_what_is_shown_and_taken(client: TestClient) -> None:
    shown = client.post(NAMESPACES, json=WHOLE, headers=ADMIN).json()
    served = {name: client.get(f"/image/v2/schemas/metadefs/{name}", headers=READER).json() for name in SCHEMAS}
    known = {name: set(schema["properties"]) for name, schema in served.items()}
    taken = {"self" if name == "link" else name for name in NamespaceBody.__struct_fields__}
    assert known["namespace"] == taken and shown.keys() == known["namespace"]
    assert shown["objects"][0].keys() == known["object"]
    assert known["property"] == set(NamedDefinition.__struct_encode_fields__)
    assert known["resource_type"] == shown["resource_type_associations"][1].keys()
    assert client.post(f"{NAMESPACES}/Acme::Hardware/tags/x", headers=ADMIN).json().keys() == known["tag"]
    listed = served["properties"]["properties"]["properties"]
    assert listed["additionalProperties"]["properties"].keys() == {"name", *KEYWORDS}
    for one, many in (("object", "objects"), ("tag", "tags"), ("namespace", "namespaces")):
        items = served[many]["properties"][many]["items"]
        assert items["properties"] == served[one]["properties"]
        assert served[many].get("definitions") == served[one].get("definitions")
    assert client.get("/image/v2/schemas/metadefs/tag").status_code == 401


def test_a_page_costs_the_same_however_long(cloud: Cloud, client: TestClient) -> None:
    asked: list[str] = []
    event.listen(cloud.db._reader, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for number in range(8):
        make(client, f"N{number}", resource_type_associations=[{"name": "A"}, {"name": f"B{number}"}])
        if number in (1, 7):
            asked.clear()
            assert len(names(client)) == number + 1
            counts.append(len(asked))
    assert counts == [2, 2]  # the page, and the resource types of all of it
