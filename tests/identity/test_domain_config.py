"""Domain configuration: whole, groups, options, defaults, and the secrets in it."""

from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from pileus.identity.domain_config import queries
from pileus.identity.domain_config.models import DomainOption
from pileus.identity.domain_config.sealing import OptionSealer
from pileus.kernel.cloud import Cloud
from tests.identity.people import Caller, log_in

URL, TREE = "ldap://127.0.0.1:1/", "ou=Users,dc=x"
CONFIG = {"identity": {"driver": "ldap"}, "ldap": {"url": URL, "user_tree_dn": TREE}}


@pytest.fixture
def domain(admin: Caller) -> str:
    return str(admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"])


@pytest.fixture
def path(admin: Caller, domain: str) -> str:
    admin.ask("PUT", f"/domains/{domain}/config", {"config": CONFIG}, status=201)
    return f"/domains/{domain}/config"


def test_whole(admin: Caller, domain: str) -> None:
    path = f"/domains/{domain}/config"
    admin.ask("GET", path, status=404)
    admin.ask("PATCH", path, {"config": CONFIG}, status=404)
    admin.ask("DELETE", path, status=404)
    assert admin.ask("PUT", path, {"config": CONFIG}, status=201) == {"config": CONFIG}
    assert admin.ask("GET", path) == {"config": CONFIG}
    admin.ask("HEAD", path)
    only = {"ldap": {"suffix": "dc=y"}}
    assert admin.ask("PUT", path, {"config": only}) == {"config": only}
    more = {"ldap": {"url": URL}, "identity": {"list_limit": 5}}
    whole = {"ldap": {"suffix": "dc=y", "url": URL}, "identity": {"list_limit": 5}}
    assert admin.ask("PATCH", path, {"config": more}) == {"config": whole}
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


def test_groups_and_options(admin: Caller, path: str) -> None:
    assert admin.ask("GET", f"{path}/ldap") == {"config": {"ldap": CONFIG["ldap"]}}
    assert admin.ask("GET", f"{path}/identity/driver") == {"config": {"driver": "ldap"}}
    changed = admin.ask("PATCH", f"{path}/identity", {"config": {"identity": {"driver": "x", "list_limit": 7}}})
    assert changed["config"] == CONFIG | {"identity": {"driver": "x", "list_limit": 7}}
    changed = admin.ask("PATCH", f"{path}/identity/driver", {"config": {"driver": "sql"}})
    assert changed["config"]["identity"] == {"driver": "sql", "list_limit": 7}
    admin.ask("PATCH", f"{path}/ldap/suffix", {"config": {"suffix": "dc=z"}}, status=404)
    admin.ask("DELETE", f"{path}/identity/driver", status=204)
    admin.ask("DELETE", f"{path}/identity/driver", status=404)
    admin.ask("GET", f"{path}/identity/driver", status=404)
    admin.ask("DELETE", f"{path}/identity", status=204)
    admin.ask("GET", f"{path}/identity", status=404)
    admin.ask("PATCH", f"{path}/identity", {"config": {"identity": {"driver": "x"}}}, status=404)
    assert admin.ask("GET", path)["config"] == {"ldap": CONFIG["ldap"]}


@pytest.mark.parametrize(
    ("below", "config", "status"),
    [
        ("", {}, 403),
        ("", {"ldap": {}}, 403),
        ("", {"token": {"expiration": 5}}, 403),
        ("", {"ldap": {"no_such": 5}}, 403),
        ("", {"ldap": "x"}, 400),
        ("", [], 400),
        ("", {"ldap": {"page_size": "many"}}, 400),
        ("", {"ldap": {"use_tls": "maybe"}}, 400),
        ("", {"ldap": {"query_scope": "all"}}, 400),
        ("", {"ldap": {"url": 5}}, 400),
        ("", {"ldap": {"password": {"a": 1}}}, 400),
        ("/ldap", {"identity": {"driver": "x"}}, 403),
        ("/ldap", {"ldap": {"url": URL}, "identity": {"driver": "x"}}, 403),
        ("/token", {"token": {"expiration": 5}}, 403),
        ("/ldap/url", {"suffix": "x"}, 403),
        ("/ldap/url", {"url": URL, "suffix": "x"}, 403),
        ("/ldap/url", {"url": ["x"]}, 400),
        ("/ldap/no_such", {"no_such": "x"}, 403),
    ],
)
def test_bad_changes(admin: Caller, path: str, below: str, config: Any, status: int) -> None:
    admin.ask("PATCH", path + below, {"config": config}, status=status)
    if not below:
        admin.ask("PUT", path, {"config": config}, status=status)
    assert admin.ask("GET", path)["config"] == CONFIG


def test_texts_stand_for_numbers_and_truths(admin: Caller, path: str) -> None:
    given = {"page_size": "100", "use_tls": "True", "user_attribute_ignore": "a,b", "user_enabled_default": 512}
    assert admin.ask("PATCH", path, {"config": {"ldap": given}})["config"]["ldap"].items() >= given.items()


def test_unknown_names_are_refused_everywhere(admin: Caller, path: str) -> None:
    for below in ("/token", "/token/x", "/ldap/no_such"):
        admin.ask("GET", path + below, status=403)
        admin.ask("DELETE", path + below, status=403)
    for below in ("/token/default", "/token/x/default", "/ldap/no_such/default", "/ldap/password/default"):
        admin.ask("GET", "/domains/config" + below, status=403)
    admin.ask("GET", "/domains/nowhere/config", status=404)


def test_defaults(admin: Caller) -> None:
    whole = admin.ask("GET", "/domains/config/default")["config"]
    assert set(whole) == {"identity", "ldap"}
    assert whole["identity"] == {"driver": "sql", "list_limit": None}
    assert whole["ldap"]["url"] == "ldap://localhost"
    assert "password" not in whole["ldap"]
    for group, options in whole.items():
        assert admin.ask("GET", f"/domains/config/{group}/default") == {"config": {group: options}}
        for name, value in options.items():
            assert admin.ask("GET", f"/domains/config/{group}/{name}/default") == {"config": {name: value}}


def test_secrets_are_never_shown_and_never_stored_plain(admin: Caller, path: str, domain: str, cloud: Cloud) -> None:
    secret = "hidden-secret-3"
    ldap = {"password": secret, "url": "ldap://u:%(password)s@127.0.0.1/"}
    replies = [
        admin.ask("PATCH", path, {"config": {"ldap": ldap}}),
        admin.ask("PATCH", f"{path}/ldap/password", {"config": {"password": secret}}),
        admin.ask("PATCH", f"{path}/ldap", {"config": {"ldap": ldap}}),
        admin.ask("GET", path),
        admin.ask("GET", f"{path}/ldap"),
        admin.ask("GET", f"{path}/ldap/password", status=404),
    ]
    assert not any(secret in str(reply) or "'password'" in str(reply.get("config")) for reply in replies)
    assert replies[3]["config"]["ldap"]["url"] == ldap["url"]
    sealer = cloud.part(OptionSealer)
    with cloud.db.reading() as db:
        assert secret not in str(db.execute(select(DomainOption.value)).all())
        opened = queries.opened(sealer, "ldap", queries.stored(db, domain)["ldap"])
    assert (opened["password"], opened["url"]) == (secret, f"ldap://u:{secret}@127.0.0.1/")
    with cloud.db.writing() as db:
        before = queries.stored(db, domain)["ldap"]["password"]
        assert sealer.rotate(db) == 1
    with cloud.db.reading() as db:
        stored = queries.stored(db, domain)["ldap"]
        assert stored["password"] != before
        assert queries.opened(OptionSealer(cloud), "ldap", stored)["password"] == secret
    admin.ask("DELETE", f"{path}/ldap/password", status=204)
    admin.ask("DELETE", f"{path}/ldap/password", status=404)


def test_a_config_of_secrets_alone_shows_nothing(admin: Caller, domain: str) -> None:
    path = f"/domains/{domain}/config"
    admin.ask("PUT", path, {"config": {"ldap": {"password": "x"}}}, status=201)
    admin.ask("GET", path, status=404)
    admin.ask("GET", f"{path}/ldap", status=404)
    admin.ask("PUT", path, {"config": CONFIG})


def test_who_may(admin: Caller, demo: Caller, client: TestClient, path: str) -> None:
    for method, body in (("GET", None), ("PUT", {"config": CONFIG}), ("PATCH", {"config": CONFIG}), ("DELETE", None)):
        demo.ask(method, path, body, status=403)
    demo.ask("GET", "/domains/config/default", status=403)
    demo.ask("GET", "/domains/nowhere/config", status=403)
    system = log_in(client, "admin", system=True)
    assert system.ask("GET", path)["config"] == CONFIG


def test_a_domain_takes_its_config_along(admin: Caller, path: str, domain: str, cloud: Cloud) -> None:
    admin.ask("PATCH", f"/domains/{domain}", {"domain": {"enabled": False}})
    admin.ask("DELETE", f"/domains/{domain}", status=204)
    with cloud.db.reading() as db:
        assert db.scalars(select(DomainOption)).all() == []


def test_password_rules_are_for_everyone(demo: Caller, admin: Caller, domain: str) -> None:
    path = "/domains/default/config/security_compliance"
    rules = {"password_regex": None, "password_regex_description": None}
    assert demo.ask("GET", path) == {"config": {"security_compliance": rules}}
    for name in rules:
        assert demo.ask("GET", f"{path}/{name}") == {"config": {name: None}}
        admin.ask("PATCH", f"{path}/{name}", {"config": {name: "x"}}, status=403)
    demo.ask("GET", f"{path}/lockout_duration", status=403)
    demo.ask("GET", f"/domains/{domain}/config/security_compliance", status=403)


def test_a_driver_that_is_not_known_makes_only_its_domain_unavailable(admin: Caller, path: str, domain: str) -> None:
    admin.ask("PATCH", f"{path}/identity/driver", {"config": {"driver": "nis"}})
    refused = admin.ask("GET", f"/users?domain_id={domain}", status=503)
    assert "nis" in refused["error"]["message"]
    admin.ask("GET", "/users")
    admin.ask("PATCH", f"{path}/identity/driver", {"config": {"driver": "sql"}})
    assert admin.ask("GET", f"/users?domain_id={domain}")["users"] == []
