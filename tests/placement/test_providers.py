"""Resource providers: their life, their trees, and finding them."""

import pytest
from sqlalchemy import event

from pileus.kernel.cloud import Cloud
from tests.placement.client import ADMIN, MEMBER, SERVICE, Client, claim, new_uuid

PATH = "/resource_providers"


def names(client: Client, query: str, version: str = "1.39") -> list[str]:
    return sorted(p["name"] for p in client.get(f"{PATH}?{query}", version=version)["resource_providers"])


def test_life_of_a_provider(client: Client) -> None:
    wanted = new_uuid()
    made = client.ask("POST", PATH, {"name": "host1", "uuid": wanted})
    assert made.status_code == 200 and made.headers["location"].endswith(f"/placement{PATH}/{wanted}")
    shown = client.get(f"{PATH}/{wanted}")
    assert made.json() == shown
    own = f"/placement{PATH}/{wanted}"
    parts = ("inventories", "usages", "aggregates", "traits", "allocations")
    assert shown == {
        "uuid": wanted,
        "name": "host1",
        "generation": 0,
        "parent_provider_uuid": None,
        "root_provider_uuid": wanted,
        "links": [{"rel": "self", "href": own}, *({"rel": part, "href": f"{own}/{part}"} for part in parts)],
    }
    renamed = client.ask("PUT", f"{PATH}/{wanted}", {"name": "host2"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "host2")
    assert names(client, "") == ["host2"]
    assert client.status("DELETE", f"{PATH}/{wanted}") == 204
    assert client.fault("GET", f"{PATH}/{wanted}") == (404, "placement.resource_provider.not_found")


def test_older_microversions_say_less(client: Client) -> None:
    made = client.ask("POST", PATH, {"name": "old"}, version="1.0")
    assert (made.status_code, made.content) == (201, b"")
    provider = made.headers["location"].rpartition("/")[2]
    assert set(client.get(f"{PATH}/{provider}", version="1.0")) == {"uuid", "name", "generation", "links"}
    assert len(client.get(f"{PATH}/{provider}", version="1.5")["links"]) == 4
    assert client.status("POST", PATH, {"name": "x", "parent_provider_uuid": provider}, version="1.13") == 400
    assert client.status("GET", "/traits", version="1.5") == 404
    assert "last-modified" not in client.ask("GET", PATH, version="1.14").headers
    told = client.ask("GET", PATH, version="1.15").headers
    assert told["cache-control"] == "no-cache" and told["last-modified"].endswith("GMT")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 201},
        {"name": 5},
        {"name": "x", "colour": "red"},
        {"name": "x", "uuid": "not-one"},
        {"name": "x", "parent_provider_uuid": "3f4b1b7c-7b0e-4b0e-8b0e-000000000000"},
        ["x"],
    ],
)
def test_bad_providers(client: Client, body: object) -> None:
    assert client.fault("POST", PATH, body) == (400, "placement.undefined_code")
    assert names(client, "") == []


def test_names_and_ids_are_taken_once(client: Client) -> None:
    first, second = client.provider("a"), client.provider("b")
    assert client.fault("POST", PATH, {"name": "a"}) == (409, "placement.duplicate_name")
    assert client.fault("POST", PATH, {"name": "c", "uuid": first.upper()}) == (409, "placement.duplicate_name")
    assert client.fault("PUT", f"{PATH}/{second}", {"name": "a"}) == (409, "placement.duplicate_name")
    assert client.status("PUT", f"{PATH}/{second}", {"name": "b"}) == 200


def test_trees(client: Client) -> None:
    root, other = client.provider("root"), client.provider("other")
    numa = client.provider("numa", root)
    card = client.provider("card", numa)
    assert client.get(f"{PATH}/{card}")["root_provider_uuid"] == root
    assert names(client, f"in_tree={card}") == ["card", "numa", "root"]
    assert names(client, f"in_tree={new_uuid()}") == []
    assert client.fault("DELETE", f"{PATH}/{numa}") == (409, "placement.resource_provider.cannot_delete_parent")
    move = {"name": "numa", "parent_provider_uuid": other}
    assert client.status("PUT", f"{PATH}/{numa}", move, version="1.36") == 400
    assert client.status("PUT", f"{PATH}/{numa}", move) == 200
    assert names(client, f"in_tree={other}") == ["card", "numa", "other"]
    for parent in (card, numa):
        assert client.status("PUT", f"{PATH}/{numa}", {"name": "numa", "parent_provider_uuid": parent}) == 400
    assert client.status("PUT", f"{PATH}/{numa}", {"name": "numa", "parent_provider_uuid": None}) == 200
    assert client.get(f"{PATH}/{card}")["root_provider_uuid"] == numa
    below = {"name": "other", "parent_provider_uuid": root}
    assert client.status("PUT", f"{PATH}/{other}", below, version="1.14") == 200


def test_a_provider_in_use_stays(client: Client) -> None:
    provider = client.provider("host", VCPU=4)
    assert client.status("PUT", f"/allocations/{new_uuid()}", claim((provider, {"VCPU": 1}))) == 204
    assert client.fault("DELETE", f"{PATH}/{provider}") == (409, "placement.resource_provider.inuse")
    free = client.provider("free", VCPU=4)
    client.set_traits(free, "CUSTOM_X")
    assert client.status("DELETE", f"{PATH}/{free}") == 204


def test_filters(client: Client) -> None:
    first, second = new_uuid(), new_uuid()
    small = client.provider("small", VCPU=2)
    big = client.provider("big", VCPU={"total": 8, "step_size": 2}, MEMORY_MB=1024)
    client.set_traits(small, "HW_CPU_X86_AVX", "CUSTOM_A")
    client.set_traits(big, "CUSTOM_B")
    client.set_aggregates(small, first)
    client.set_aggregates(big, first, second)
    assert names(client, "name=big") == ["big"] == names(client, f"uuid={big}")
    assert names(client, "resources=VCPU:2") == ["big", "small"]
    assert names(client, "resources=VCPU:3") == [] and names(client, "resources=VCPU:4") == ["big"]
    assert names(client, "resources=VCPU:2,MEMORY_MB:1024") == ["big"]
    bounded = client.provider("bounded", DISK_GB={"total": 100, "min_unit": 10, "max_unit": 20})
    for amount, found in ((9, []), (10, ["bounded"]), (20, ["bounded"]), (21, [])):
        assert names(client, f"resources=DISK_GB:{amount}") == found
        assert len(client.get(f"/allocation_candidates?resources=DISK_GB:{amount}")["allocation_requests"]) == len(
            found
        )
    assert client.status("DELETE", f"{PATH}/{bounded}") == 204
    assert names(client, "required=CUSTOM_A") == ["small"] == names(client, "required=!CUSTOM_B")
    assert names(client, "required=CUSTOM_A,HW_CPU_X86_AVX") == ["small"]
    assert names(client, "required=in:CUSTOM_A,CUSTOM_B") == ["big", "small"]
    assert names(client, "required=in:CUSTOM_A,CUSTOM_B&required=!HW_CPU_X86_AVX") == ["big"]
    assert names(client, f"member_of={first}") == ["big", "small"]
    assert names(client, f"member_of={first}&member_of={second}") == ["big"] == names(client, f"member_of={second}")
    assert names(client, f"member_of=in:{first},{second}&member_of=!{second}") == ["small"]
    assert client.status("PUT", f"/allocations/{new_uuid()}", claim((big, {"VCPU": 6}))) == 204
    assert names(client, "resources=VCPU:4") == [] and names(client, "resources=VCPU:2") == ["big", "small"]


@pytest.mark.parametrize(
    ("query", "version", "code"),
    [
        ("colour=red", "1.39", "placement.undefined_code"),
        ("resources=VCPU:1", "1.3", "placement.undefined_code"),
        ("resources=VCPU", "1.39", "placement.query.bad_value"),
        ("resources=VCPU:0", "1.39", "placement.query.bad_value"),
        ("resources=VCPU:99999999999999999999", "1.39", "placement.query.bad_value"),
        ("resources=VCPU:1,VCPU:2", "1.39", "placement.query.bad_value"),
        ("resources=UNHEARD:1", "1.39", "placement.query.bad_value"),
        ("required=CUSTOM_UNHEARD", "1.39", "placement.query.bad_value"),
        ("required=!HW_CPU_X86_AVX", "1.21", "placement.query.bad_value"),
        ("required=HW_CPU_X86_AVX,!HW_CPU_X86_AVX", "1.39", "placement.query.bad_value"),
        ("required=", "1.39", "placement.query.bad_value"),
        ("required=HW_CPU_X86_AVX&required=HW_CPU_X86_AVX2", "1.38", "placement.query.duplicate_key"),
        ("member_of=here", "1.39", "placement.query.bad_value"),
        ("in_tree=here", "1.39", "placement.query.bad_value"),
        ("name=a&name=b", "1.39", "placement.query.duplicate_key"),
    ],
)
def test_bad_filters(client: Client, query: str, version: str, code: str) -> None:
    assert client.fault("GET", f"{PATH}?{query}", version=version) == (400, code)


def test_who_may(client: Client) -> None:
    provider = client.provider("host")
    paths = [PATH, f"{PATH}/{provider}", f"{PATH}/{new_uuid()}", f"{PATH}/{provider}/inventories", "/traits"]
    paths += [f"/allocations/{new_uuid()}", "/resource_classes", "/allocation_candidates?resources=VCPU:1"]
    for path in paths:
        assert client.ask("GET", path, who=MEMBER).status_code == 403, path
        assert client.ask("GET", path, who={}).status_code == 401, path
        assert client.ask("GET", path, who=SERVICE).status_code != 403, path
    assert client.ask("DELETE", f"{PATH}/{provider}", who=MEMBER).status_code == 403
    assert client.ask("POST", PATH, {"name": "mine"}, who=MEMBER).status_code == 403
    assert client.ask("POST", PATH, {"name": "services"}, who=SERVICE).status_code == 200
    assert client.ask("GET", PATH, who=ADMIN).json()["resource_providers"][-1]["name"] == "services"


@pytest.mark.parametrize("path", ["/resource_providers?resources=VCPU:1", "/allocation_candidates?resources=VCPU:1"])
def test_lists_ask_the_same_number_of_queries_whatever_their_length(client: Client, cloud: Cloud, path: str) -> None:
    counts = []
    asked: list[str] = []
    reading = cloud.db.session(write=False)
    event.listen(reading.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    for size in (1, 12):
        for i in range(size):
            client.provider(f"host{size}-{i}", VCPU=4)
        asked.clear()
        assert client.status("GET", path) == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0


def test_the_root_says_which_versions_are_spoken(client: Client) -> None:
    """Anybody may ask."""
    reply = client.ask("GET", "/", who={})
    [version] = reply.json()["versions"]
    assert (reply.status_code, version["min_version"], version["max_version"]) == (200, "1.0", "1.39")
