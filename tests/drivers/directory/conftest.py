"""Each driver in turn. The LDAP server is a real one, started once."""

from collections.abc import Iterator

import pytest

from pileus.identity.directories.registry import Directories
from pileus.kernel.cloud import Cloud
from tests.drivers.directory.rigs import LdapRig, Rig, SqlRig
from tests.drivers.directory.slapd import PROGRAM, Slapd, running
from tests.identity.conftest import admin, client, cloud, seeded
from tests.identity.people import Caller

__all__ = ["admin", "client", "cloud", "seeded"]


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    if PROGRAM is None:
        pytest.skip("slapd is not installed")
    with running(tmp_path_factory.mktemp("slapd")) as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_stays_open(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.part(Directories).close()


@pytest.fixture(params=["sql", "ldap"])
def rig(request: pytest.FixtureRequest, admin: Caller) -> Rig:
    return SqlRig(admin) if request.param == "sql" else LdapRig(admin, request.getfixturevalue("slapd"))
