"""What PUT /servers/{id} answers, by microversion."""

from tests.compute.api.conftest import Caller, Maker

LATER = {"key_name", "config_drive", "OS-EXT-STS:vm_state", "OS-EXT-AZ:availability_zone", "OS-SRV-USG:launched_at"}


def test_an_update_answers_as_a_show_only_since_2_75(server: Maker, member: Caller) -> None:
    path = f"/servers/{server()}"
    before = member.put(path, {"server": {"name": "early"}}, version="2.74")["server"]
    assert before["name"] == "early"
    assert {"locked", "description", "tags", "OS-DCF:diskConfig", "locked_reason"} <= before.keys()
    assert not LATER & before.keys()
    after = member.put(path, {"server": {"name": "late"}}, version="2.75")["server"]
    assert after.keys() >= LATER
    assert after == member.get(path, version="2.75")["server"]


def test_a_show_names_the_group_since_2_71(member: Caller, server: Maker) -> None:
    path = f"/servers/{server()}"
    assert "server_groups" not in member.get(path, version="2.70")["server"]
    assert member.get(path, version="2.71")["server"]["server_groups"] == []
    assert "server_groups" not in member.get("/servers/detail", version="2.71")["servers"][0]


def test_a_host_name_has_a_domain_since_2_94(server: Maker, member: Caller) -> None:
    path = f"/servers/{server()}"
    for name in ("a.b", "-a", "a" * 64, "a_b"):
        assert "hostname" in member.refused("PUT", path, 400, {"server": {"hostname": name}}, version="2.93")
    assert member.put(path, {"server": {"hostname": "web"}}, version="2.90")["server"]["name"]
    shown = member.put(path, {"server": {"hostname": "web.example.org"}}, version="2.94")["server"]
    assert shown["OS-EXT-SRV-ATTR:hostname"] == "web.example.org"
    for name in ("a..b", ".a", "a.", "a." + "b" * 64):
        member.refused("PUT", path, 400, {"server": {"hostname": name}}, version="2.94")
