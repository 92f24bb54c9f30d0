"""Two who take the same thing at once: the database has the last word, and the loser looks on."""

import pytest

from pileus.network.ports import addresses, macs
from tests.network.api.client import Api, net


def test_an_address_taken_meanwhile_costs_another_look(member: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    network, subnet = net(member)
    first = member.make("port", network_id=network["id"])["fixed_ips"][0]["ip_address"]
    answers = iter([first, first, "10.0.0.77"])
    monkeypatch.setattr(addresses, "free_address", lambda _db, _subnet: next(answers))
    port = member.make("port", network_id=network["id"], name="late")
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.0.0.77"}]
    assert port["name"] == "late" and len(port["security_groups"]) == 1


def test_who_always_loses_is_told_and_leaves_nothing(member: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = net(member)
    first = member.make("port", network_id=network["id"])["fixed_ips"][0]["ip_address"]
    monkeypatch.setattr(addresses, "free_address", lambda _db, _subnet: first)
    assert member.refused(409, "port", network_id=network["id"]) == "IpAddressGenerationFailure"
    assert len(member.list("port", "device_owner=")) == 1


def test_a_mac_taken_meanwhile_is_a_conflict(member: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = net(member)
    member.make("port", network_id=network["id"], mac_address="fa:16:3e:00:00:01")
    monkeypatch.setattr(macs, "taken", lambda _db, _network, _mac: False)
    member.refused(409, "port", network_id=network["id"], mac_address="fa:16:3e:00:00:01")
    assert len(member.list("port", "device_owner=")) == 1
