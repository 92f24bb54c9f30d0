"""An operator's file of protections, as users of the API meet it."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, IMAGES, MEMBER, change, make, show

RULES = """
[^x_billing$]
create = admin
read = admin,member
update = admin
delete = admin
[^x_hidden$]
create = admin,member
read = admin
update = admin
delete = admin
[.*]
create = @
read = @
update = @
delete = @
"""


@pytest.fixture
def settings(tmp_path: Path) -> str:
    file = tmp_path / "protections.conf"
    file.write_text(RULES)
    return f'property_protection_file = "{file}"'


def to(verb: str, name: str) -> Json:
    return {"op": verb, "path": f"/{name}"} | ({"value": "2"} if verb != "remove" else {})


def test_who_may_do_what(client: TestClient) -> None:
    refused = client.post(IMAGES, json={"name": "x", "x_billing": "1"}, headers=MEMBER)
    assert refused.status_code == 403
    image_id = make(client, x_hidden="1", colour="red")["id"]
    assert "x_hidden" not in show(client, image_id) and show(client, image_id, ADMIN)["x_hidden"] == "1"
    assert change(client, image_id, to("add", "x_billing")) == 403
    assert change(client, image_id, to("add", "x_billing"), who=ADMIN) == 200
    assert show(client, image_id)["x_billing"] == "2"
    for verb in ("replace", "remove"):
        for name in ("x_billing", "x_hidden"):
            assert change(client, image_id, to(verb, name)) == 403
        assert change(client, image_id, to(verb, "colour")) == 200
    assert change(client, image_id, to("remove", "x_hidden"), who=ADMIN) == 200


def test_what_is_hidden_is_no_filter(client: TestClient) -> None:
    image_id = make(client, x_hidden="1", colour="red")["id"]

    def found(query: str, who: dict[str, str]) -> list[str]:
        return [image["id"] for image in client.get(f"{IMAGES}?{query}", headers=who).json()["images"]]

    assert found("colour=red", MEMBER) == found("x_hidden=1", ADMIN) == [image_id]
    assert found("x_hidden=1", MEMBER) == []
