"""The schemas that clients read say what the service takes and shows."""

import pytest
from jsonschema_rs import meta, validator_for

from pileus.image.discovery.schemas import IMAGE_PROPERTIES, LISTED_TASK, MEMBER, ROUTES, SCHEMAS, TASK
from pileus.image.images.attributes import COMMON, READ_ONLY, SETTABLE, CommonShape, ImageShape
from pileus.image.tasks.models import API_IMAGE_IMPORT, COPY_IMAGE, IMPORT, LOCATION_IMPORT, Task
from pileus.image.tasks.views import brief, view
from pileus.kernel import clock
from pileus.kernel.errors import ApiError
from pileus.kernel.http import schema
from pileus.kernel.http.call import Json
from pileus.kernel.microversion import Version

UUID = "11111111-2222-3333-4444-555555555555"
UNSEEN = {"location", "deleted", "deleted_at"}  # of the first version of the API


def strict(described: Json) -> Json:
    """The same, and nothing besides."""
    return {**described, "additionalProperties": False}


def taken(name: str, value: object) -> bool:
    """Does the service take that value of an attribute?"""
    try:
        schema.read({name: value}, ImageShape if name in SETTABLE else CommonShape, Version(0, 0), lax=False)
    except ApiError:
        return False
    return True


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema_with_a_route(name: str) -> None:
    meta.validate(SCHEMAS[name])
    assert SCHEMAS[name]["name"] == name
    assert [route.path for route in ROUTES].count(f"/v2/schemas/{name}") == 1


def test_every_attribute_is_there_and_says_who_may_set_it() -> None:
    assert set(IMAGE_PROPERTIES) == (SETTABLE | COMMON | READ_ONLY) - UNSEEN
    fixed = {name for name, described in IMAGE_PROPERTIES.items() if described.get("readOnly")}
    assert fixed == READ_ONLY - UNSEEN - {"locations"}  # which are set where the operator lets them be
    assert {name for name, described in IMAGE_PROPERTIES.items() if not described.get("is_base", True)} == COMMON
    assert all(described["description"] for described in IMAGE_PROPERTIES.values())


VALUES: dict[str, list[object]] = {
    "id": [UUID, UUID.upper(), UUID[:-1], "x", None, 1],
    "name": ["", "x" * 255, "x" * 256, None, 1],
    "visibility": ["public", "private", "shared", "community", "open", None, ""],
    "protected": [True, False, None, "true", 0],
    "os_hidden": [True, False, None, "true", 1],
    "owner": ["p1", None, "x" * 256, 1],
    "min_disk": [0, 1, 2**31 - 1, 2**31, -1, None, "1", 1.5],
    "min_ram": [0, 512, 2**31 - 1, 2**31, -1, None, "1"],
    "tags": [[], ["a", "b"], ["x" * 255], ["x" * 256], [1], None, "a", {}],
    "disk_format": [*IMAGE_PROPERTIES["disk_format"]["enum"], "floppy", "", "RAW", 1],
    "container_format": [*IMAGE_PROPERTIES["container_format"]["enum"], "box", "", 1],
    "kernel_id": [UUID, None, "x", "", 1],
    "ramdisk_id": [UUID, None, "x", "", 1],
    **{name: ["", "text", None, 1, True] for name in sorted(COMMON - {"kernel_id", "ramdisk_id"})},
}


@pytest.mark.parametrize("name", sorted(SETTABLE | COMMON))
def test_schema_and_service_take_the_same_values(name: str) -> None:
    described = validator_for(IMAGE_PROPERTIES[name])
    verdicts = {repr(value): described.is_valid(value) for value in VALUES[name]}
    assert verdicts == {repr(value): taken(name, value) for value in VALUES[name]}
    assert set(verdicts.values()) == {True, False}


def test_custom_properties_are_strings() -> None:
    image = validator_for(SCHEMAS["image"])
    assert image.is_valid({"hw_disk_bus": "virtio"})
    assert not image.is_valid({"hw_disk_bus": 1}) and not image.is_valid({"hw_disk_bus": None})


@pytest.mark.parametrize("kind", [IMPORT, API_IMAGE_IMPORT, COPY_IMAGE, LOCATION_IMPORT])
@pytest.mark.parametrize("ended", [True, False])
def test_tasks_are_shown_as_described(kind: str, ended: bool) -> None:
    now = clock.now()
    task = Task(id=UUID, type=kind, status="pending", input={}, message="", created_at=now, updated_at=now)
    if ended:
        task.status, task.expires_at, task.result = "success", now, {"image_id": UUID}
        task.owner = task.image_id = task.user_id = task.request_id = "x"
    validator_for(strict(TASK)).validate(view(task))
    validator_for(strict(LISTED_TASK)).validate(brief(task))
    assert view(task).keys() == TASK["properties"].keys() and brief(task).keys() == LISTED_TASK["properties"].keys()
    listed = {"tasks": [brief(task)], "first": "/v2/tasks", "next": "/v2/tasks?marker=x", "schema": "/v2/schemas/tasks"}
    validator_for(strict(SCHEMAS["tasks"])).validate(listed)
    task.status = "asleep"
    assert not validator_for(TASK).is_valid(view(task))


@pytest.mark.parametrize(
    ("location", "good"),
    [
        ({"url": "http://store/1", "metadata": {}}, True),
        ({"url": "http://store/1", "metadata": {"store": "web"}}, True),
        ({"url": "http://store/1"}, False),
        ({"metadata": {}}, False),
        ({"url": "u", "metadata": {}, "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "0"}}, True),
        ({"url": "u", "metadata": {}, "validation_data": {"checksum": "0"}}, False),
    ],
)
def test_locations(location: Json, good: bool) -> None:
    assert validator_for(SCHEMAS["image"]).is_valid({"locations": [location]}) == good


def test_members_say_what_answers_there_are() -> None:
    assert MEMBER["properties"]["status"]["enum"] == ["pending", "accepted", "rejected"]
