"""`clouds.yaml` and `openrc`: how clients find their way in."""

import os
from pathlib import Path

from pileus.kernel.config import Config

CLOUDS = """\
clouds:
  pileus:
    auth:
      auth_url: {url}
      username: admin
      password: {admin}
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: {region}
    identity_api_version: 3
  pileus-system:
    auth:
      auth_url: {url}
      username: admin
      password: {admin}
      system_scope: all
      user_domain_id: default
    region_name: {region}
    identity_api_version: 3
  pileus-demo:
    auth:
      auth_url: {url}
      username: demo
      password: {demo}
      project_name: demo
      user_domain_id: default
      project_domain_id: default
    region_name: {region}
    identity_api_version: 3
"""
OPENRC = """\
export OS_AUTH_URL={url}
export OS_USERNAME=admin
export OS_PASSWORD={admin}
export OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
export OS_REGION_NAME={region}
export OS_IDENTITY_API_VERSION=3
"""


def write(conf: Config) -> None:
    values = {
        "url": f"{conf.endpoint}/identity/v3",
        "admin": conf.secret("admin_password"),
        "demo": conf.secret("demo_password"),
        "region": conf.cloud.region,
    }
    for name, template in (("clouds.yaml", CLOUDS), ("openrc", OPENRC)):
        _write_private(conf.state / name, template.format(**values))


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
