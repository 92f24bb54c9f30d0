"""A server's config drive: the same documents as files (Compute user guide, Config drives)."""

import base64
import json

from sqlalchemy.orm import Session

from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings
from pileus.kernel.cloud import Cloud
from pileus.metadata.documents import ec2, openstack
from pileus.network.internal import PortFacts

OPENSTACK = tuple(version for version in openstack.VERSIONS if version >= "2015")


class Drives:
    """Implements `compute.internal.ConfigDrives`."""

    def __init__(self, cloud: Cloud) -> None:
        self._domain = cloud.settings(ComputeSettings).dhcp_domain

    def files(self, db: Session, server: Server, ports: list[PortFacts]) -> dict[str, bytes]:
        user_data = base64.b64decode(server.user_data) if server.user_data else None
        documents = {
            "meta_data.json": openstack.meta_data(server, self._domain),
            "network_data.json": openstack.network_data(ports),
            "vendor_data.json": {},
            "vendor_data2.json": {},
        }
        files: dict[str, bytes] = {}
        for version in OPENSTACK:
            for name, document in documents.items():
                files[f"openstack/{version}/{name}"] = json.dumps(document).encode()
            if user_data is not None:
                files[f"openstack/{version}/user_data"] = user_data
        for version in ("2009-04-04", "latest"):
            files[f"ec2/{version}/meta-data.json"] = json.dumps(ec2.meta_data(server, ports, self._domain)).encode()
            if user_data is not None:
                files[f"ec2/{version}/user-data"] = user_data
        return files
