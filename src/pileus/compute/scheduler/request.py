"""What a new server needs of its host."""

from collections.abc import Mapping
from typing import NamedTuple

from pileus.compute.server_groups.membership import GroupFacts
from pileus.compute.topology.wish import Wish


class Request(NamedTuple):
    """Resources by class, and what narrows the choice of hosts."""

    resources: Mapping[str, int]
    image_properties: Mapping[str, str]
    extra_specs: Mapping[str, str]
    project_id: str = ""
    flavor_name: str = ""
    image_id: str = ""
    availability_zone: str | None = None
    host: str | None = None
    hypervisor_hostname: str | None = None
    group: GroupFacts | None = None
    same_hosts: frozenset[str] | None = None  # where the servers of the hint `same_host` are
    different_hosts: frozenset[str] = frozenset()  # where those of `different_host` are
    near: tuple[str, str] | None = None  # the hints `build_near_host_ip` and `cidr`
    query: object = None  # the hint `query`, parsed
    hardware: Wish | None = None  # NUMA cells, CPUs of its own, pages, PCI devices; None: nothing of these

    def traits(self) -> frozenset[str]:
        """Those that a host must or must not have."""
        keys = {**self.image_properties, **self.extra_specs}
        return frozenset(key.removeprefix("trait:") for key in keys if key.startswith("trait:"))

    def names(self) -> frozenset[str] | None:
        """The only hosts that can pass, when the request names them in any way; None: any."""
        sets = [frozenset((name,)) for name in (self.host, self.hypervisor_hostname) if name]
        sets += [self.same_hosts] if self.same_hosts is not None else []
        if self.group is not None and self.group.policy == "affinity" and self.group.hosts:
            sets.append(frozenset(self.group.hosts))
        return frozenset.intersection(*sets) if sets else None
