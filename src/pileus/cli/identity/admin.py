"""`pileus identity reset-admin`: the way back in for who lost the administrator's password, role or account."""

import argparse
import os
import secrets
import sys

from pileus import composition
from pileus.cli.installation import configuration, tell
from pileus.identity import recovery
from pileus.kernel.bus.memory import MemoryBus
from pileus.roles import credentials
from pileus.roles.state import drop_privileges, owner_of_roles, write_secret


def reset(options: argparse.Namespace) -> int:
    """The rows first, as the roles' user and in one transaction; then the files that say the new password."""
    conf = configuration(options)
    owner = owner_of_roles(conf.cloud.user)
    password = secrets.token_urlsafe(24)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            drop_privileges(owner)
            recovery.restore_admin(composition.compose(conf, MemoryBus()), password)
            status = 0
        except Exception as error:
            print(f"pileus: {error}", file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(status)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        return 1
    path = conf.state / "secrets" / "admin_password"
    write_secret(path, password, owner)
    credentials.write(conf)
    tell(
        options,
        {"user": "admin", "secret": str(path), "clouds": str(conf.state / "clouds.yaml")},
        "The user admin of the domain Default is enabled, has the role admin, and a new password:",
        f"  {path}, {conf.state / 'clouds.yaml'}, {conf.state / 'openrc'}",
        "Tokens it had are over.",
    )
    return 0
