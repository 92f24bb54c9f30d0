"""Allocation candidates: every way to satisfy a request, and no other."""

import pytest

from pileus.kernel.http.call import Json
from pileus.placement.candidates import survey
from tests.placement.client import Client, claim, new_uuid

PATH = "/allocation_candidates"
Amounts = dict[str, dict[str, int]]


def offered(client: Client, query: str, version: str = "1.39") -> list[Amounts]:
    """What each candidate would allocate, by provider."""
    requests = client.get(f"{PATH}?{query}", version=version)["allocation_requests"]
    return [{place: entry["resources"] for place, entry in each["allocations"].items()} for each in requests]


def places(client: Client, query: str, version: str = "1.39") -> list[set[str]]:
    return sorted((set(amounts) for amounts in offered(client, query, version)), key=sorted)


def sets(*groups: tuple[str, ...]) -> list[set[str]]:
    return sorted((set(group) for group in groups), key=sorted)


def test_flat_hosts(client: Client) -> None:
    small, big = client.provider("small", VCPU=2, MEMORY_MB=512), client.provider("big", VCPU=8, MEMORY_MB=2048)
    client.provider("other", DISK_GB=100)
    body = client.get(f"{PATH}?resources=VCPU:2,MEMORY_MB:512")
    assert body["allocation_requests"] == [
        {"allocations": {host: {"resources": {"VCPU": 2, "MEMORY_MB": 512}}}, "mappings": {"": [host]}}
        for host in (small, big)
    ]
    assert body["provider_summaries"][big] == {
        "resources": {"VCPU": {"capacity": 8, "used": 0}, "MEMORY_MB": {"capacity": 2048, "used": 0}},
        "traits": [],
        "parent_provider_uuid": None,
        "root_provider_uuid": big,
    }
    assert set(body["provider_summaries"]) == {small, big}
    assert places(client, "resources=VCPU:3") == [{big}]
    assert places(client, "resources=VCPU:9") == []
    assert len(offered(client, "resources=VCPU:1&limit=1")) == 1
    first = body["allocation_requests"][1]
    path = f"/allocations/{new_uuid()}"
    assert client.status("PUT", path, claim() | first) == 204
    assert places(client, "resources=VCPU:7") == []
    assert client.get(f"{PATH}?resources=VCPU:6")["provider_summaries"][big]["resources"]["VCPU"]["used"] == 2


def test_the_answers_of_old_microversions(client: Client) -> None:
    host = client.provider("host", VCPU=2, MEMORY_MB=512)
    oldest = client.get(f"{PATH}?resources=VCPU:1", version="1.10")
    entry = {"resource_provider": {"uuid": host}, "resources": {"VCPU": 1}}
    summary: Json = {"resources": {"VCPU": {"capacity": 2, "used": 0}}}
    assert oldest == {"allocation_requests": [{"allocations": [entry]}], "provider_summaries": {host: summary}}
    body = client.get(f"{PATH}?resources=VCPU:1", version="1.17")
    assert body["allocation_requests"] == [{"allocations": {host: {"resources": {"VCPU": 1}}}}]
    assert body["provider_summaries"] == {host: summary | {"traits": []}}
    assert client.status("GET", f"{PATH}?resources=VCPU:1", version="1.9") == 404


def test_traits_and_aggregates(client: Client) -> None:
    fast, slow = client.provider("fast", VCPU=4), client.provider("slow", VCPU=4)
    client.set_traits(fast, "CUSTOM_FAST", "HW_CPU_X86_AVX")
    client.set_traits(slow, "HW_CPU_X86_SSE")
    left, right = new_uuid(), new_uuid()
    client.set_aggregates(fast, left)
    client.set_aggregates(slow, right)
    ask = "resources=VCPU:1&"
    both = sets((fast,), (slow,))
    assert places(client, f"{ask}required=CUSTOM_FAST,HW_CPU_X86_AVX") == [{fast}]
    assert places(client, f"{ask}required=!CUSTOM_FAST") == [{slow}]
    assert places(client, f"{ask}required=in:CUSTOM_FAST,HW_CPU_X86_SSE") == both
    assert places(client, f"{ask}required=in:CUSTOM_FAST,HW_CPU_X86_SSE&required=!HW_CPU_X86_SSE") == [{fast}]
    assert places(client, f"{ask}member_of={left}") == [{fast}]
    assert places(client, f"{ask}member_of=in:{left},{right}") == both
    assert places(client, f"{ask}member_of=!{left}") == [{slow}] == places(client, f"{ask}in_tree={slow}")
    assert places(client, f"{ask}member_of=!in:{left},{right}") == [] == places(client, f"{ask}in_tree={new_uuid()}")
    assert places(client, f"{ask}root_required=CUSTOM_FAST") == [{fast}]


@pytest.fixture
def tree(client: Client) -> dict[str, str]:
    """A host with two NUMA cells, each with a card below it; and a flat host."""
    ids = {"host": client.provider("host", VCPU=8, DISK_GB=10), "flat": client.provider("flat", VCPU=8, VGPU=2)}
    for cell in ("0", "1"):
        ids[f"numa{cell}"] = client.provider(f"numa{cell}", ids["host"], MEMORY_MB=1024)
        ids[f"card{cell}"] = client.provider(f"card{cell}", ids[f"numa{cell}"], VGPU=2)
    client.set_traits(ids["card1"], "CUSTOM_FAST")
    return ids


def test_a_tree_gives_together(client: Client, tree: dict[str, str]) -> None:
    host, flat, card0, card1 = (tree[name] for name in ("host", "flat", "card0", "card1"))
    assert places(client, "resources=VCPU:1,VGPU:1") == sets((flat,), (host, card0), (host, card1))
    assert places(client, "resources=VCPU:1,VGPU:1&required=CUSTOM_FAST") == sets((host, card1))
    assert places(client, "resources=VCPU:1,VGPU:1&required=!CUSTOM_FAST") == sets((flat,), (host, card0))
    assert places(client, f"resources=VGPU:1&in_tree={tree['numa0']}") == sets((card0,), (card1,))
    assert places(client, "resources=VCPU:1,VGPU:1", version="1.28") == [{flat}]
    summaries = client.get(f"{PATH}?resources=VGPU:1&required=CUSTOM_FAST")["provider_summaries"]
    assert set(summaries) == set(tree.values()) - {flat}
    assert summaries[card1]["parent_provider_uuid"] == tree["numa1"]


def test_groups(client: Client, tree: dict[str, str]) -> None:
    host, flat, card0, card1 = (tree[name] for name in ("host", "flat", "card0", "card1"))
    two = "resources=VCPU:1&resources1=VGPU:1&resources2=VGPU:1&group_policy="
    assert places(client, f"{two}isolate") == sets((host, card0, card1), (host, card0, card1))
    assert {flat: {"VCPU": 1, "VGPU": 2}} in offered(client, f"{two}none")
    big = "resources1=VGPU:2&resources2=VGPU:2&group_policy=none"
    assert places(client, big) == sets((card0, card1), (card0, card1))
    named = client.get(f"{PATH}?resources=VCPU:1&resources_GPU=VGPU:1&required_GPU=CUSTOM_FAST")
    assert [each["mappings"] for each in named["allocation_requests"]] == [{"": [host], "_GPU": [card1]}]
    near = "resources_A=MEMORY_MB:1&resources_B=VGPU:1&group_policy=none"
    assert len(offered(client, near)) == 4
    assert places(client, f"{near}&same_subtree=_A,_B") == sets((tree["numa0"], card0), (tree["numa1"], card1))
    bare = "resources_B=VGPU:1&required_A=CUSTOM_FAST&same_subtree=_A,_B"
    assert client.get(f"{PATH}?{bare}")["allocation_requests"][0]["mappings"] == {"_A": [card1], "_B": [card1]}


def test_sharing_providers(client: Client) -> None:
    host, alone = client.provider("host", VCPU=4), client.provider("alone", VCPU=4)
    store = client.provider("store", DISK_GB=100)
    rack = new_uuid()
    for provider in (host, store):
        client.set_aggregates(provider, rack)
    ask = "resources=VCPU:1,DISK_GB:5"
    assert places(client, ask) == []
    client.set_traits(store, "MISC_SHARES_VIA_AGGREGATE")
    assert places(client, ask) == [{host, store}]
    assert places(client, "resources=DISK_GB:5") == [{store}]
    assert places(client, "resources=VCPU:1") == sets((host,), (alone,))


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("", "1.39"),
        ("required=HW_CPU_X86_AVX", "1.39"),
        ("resources=VCPU:1&colour=red", "1.39"),
        ("resources=UNHEARD:1", "1.39"),
        ("resources=VCPU:one", "1.39"),
        ("resources=VCPU:1&limit=0", "1.39"),
        ("resources=VCPU:1&limit=x", "1.39"),
        ("resources=VCPU:1&limit=1", "1.15"),
        ("resources=VCPU:1&resources=VCPU:1", "1.39"),
        ("resources1=VCPU:1", "1.24"),
        ("resources_A=VCPU:1", "1.32"),
        ("resources1=VCPU:1&resources2=VCPU:1", "1.39"),
        ("resources=VCPU:1&group_policy=sometimes", "1.39"),
        ("resources=VCPU:1&required1=HW_CPU_X86_AVX", "1.39"),
        ("resources=VCPU:1&same_subtree=_A", "1.39"),
        ("resources=VCPU:1&required=HW_CPU_X86_AVX", "1.16"),
        ("resources=VCPU:1&member_of=here", "1.39"),
        ("resources=VCPU:1&in_tree=here", "1.39"),
    ],
)
def test_bad_requests(client: Client, query: str, version: str) -> None:
    assert client.fault("GET", f"{PATH}?{query}", version=version)[0] == 400


def test_a_request_without_end_is_refused(client: Client) -> None:
    """There is no answer, and no machine lives to see the end of all ways to put 13 groups on 12 cards."""
    root = client.provider("root")
    for i in range(12):
        client.provider(f"card{i}", root, VGPU=1)
    groups = [f"resources{i}=VGPU:1" for i in range(1, 14)]
    reply = client.ask("GET", f"{PATH}?{'&'.join(groups)}&group_policy=isolate")
    assert reply.status_code == 400 and "combinations" in reply.json()["errors"][0]["detail"]
    assert len(offered(client, f"{'&'.join(groups[:12])}&group_policy=isolate&limit=20")) == 20


def test_portions_lose_nobody_and_find_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts of different fill, looked through two at a time: those that fit, in their order, with the limit and without."""
    monkeypatch.setattr(survey, "PORTION", 2)
    monkeypatch.setattr(survey, "LARGEST", 3)
    hosts = [client.provider(f"host-{i:02}", VCPU=8, MEMORY_MB=4096) for i in range(12)]
    for i, host in enumerate(hosts):
        if i % 4:
            amounts = {"VCPU": 2 * (i % 4), "MEMORY_MB": 512}
            assert client.status("PUT", f"/allocations/{new_uuid()}", claim((host, amounts))) == 204
    fit = [host for i, host in enumerate(hosts) if 2 * (i % 4) + 4 <= 8]
    assert [set(found) for found in offered(client, "resources=VCPU:4,MEMORY_MB:1024")] == [{host} for host in fit]
    assert [set(f) for f in offered(client, "resources=VCPU:4&limit=4")] == [{host} for host in fit[:4]]
    assert offered(client, "resources=VCPU:9") == []
    client.set_traits(hosts[8], "CUSTOM_FAST")
    assert places(client, "resources=VCPU:4&required=CUSTOM_FAST&limit=5") == [{hosts[8]}]
    rack = new_uuid()
    lender = client.provider("lender", DISK_GB=1000)
    client.set_traits(lender, "MISC_SHARES_VIA_AGGREGATE")
    client.set_aggregates(lender, rack)
    client.set_aggregates(hosts[9], rack)
    assert places(client, "resources=VCPU:1,DISK_GB:10&limit=5") == sets((hosts[9], lender))
