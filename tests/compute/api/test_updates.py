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
