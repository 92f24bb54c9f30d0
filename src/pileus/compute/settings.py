"""Section `[compute]`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from pileus.compute.topology.aliases import PciAlias

USUAL_FILTERS = (
    "AvailabilityZoneFilter",
    "ImagePropertiesFilter",
    "AggregateMultiTenancyIsolation",
    "ServerGroupAffinityFilter",
    "ServerGroupAntiAffinityFilter",
    "SameHostFilter",
    "DifferentHostFilter",
    "SimpleCIDRAffinityFilter",
    "JsonFilter",
)


class HostOverrides(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What is otherwise on one host; what is absent is as for all."""

    cpu_allocation_ratio: Annotated[float, Meta(gt=0)] | None = None
    ram_allocation_ratio: Annotated[float, Meta(gt=0)] | None = None
    disk_allocation_ratio: Annotated[float, Meta(gt=0)] | None = None
    reserved_memory_mb: Annotated[int, Meta(ge=0)] | None = None
    reserved_disk_gb: Annotated[int, Meta(ge=0)] | None = None


class ComputeSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    cpu_allocation_ratio: Annotated[float, Meta(gt=0, description="virtual CPUs offered per host CPU")] = 16.0
    ram_allocation_ratio: Annotated[float, Meta(gt=0, description="memory offered per memory present")] = 1.5
    disk_allocation_ratio: Annotated[float, Meta(gt=0, description="disk offered per disk present")] = 1.0
    reserved_memory_mb: Annotated[int, Meta(ge=0, description="MiB of each host kept for the host itself")] = 512
    reserved_disk_gb: Annotated[int, Meta(ge=0, description="GiB of each host kept for the host itself")] = 0
    host_overrides: Annotated[
        dict[str, HostOverrides], Meta(description="these ratios and reserves for single hosts, by name")
    ] = {}
    quota_instances: Annotated[int, Meta(ge=-1, description="servers a project may have; -1: any number")] = 10
    quota_cores: Annotated[int, Meta(ge=-1, description="virtual CPUs a project may have")] = 20
    quota_ram: Annotated[int, Meta(ge=-1, description="MiB of memory a project may have")] = 51200
    quota_metadata_items: Annotated[int, Meta(ge=-1, description="metadata items a server may have")] = 128
    quota_key_pairs: Annotated[int, Meta(ge=-1, description="key pairs a user may have")] = 100
    quota_server_groups: Annotated[int, Meta(ge=-1, description="server groups a project may have")] = 10
    quota_server_group_members: Annotated[int, Meta(ge=-1, description="servers a server group may have")] = 10
    quota_injected_files: Annotated[int, Meta(ge=-1, description="files a server may be given at creation")] = 5
    quota_injected_file_content_bytes: Annotated[int, Meta(ge=-1, description="bytes of each such file")] = 10240
    quota_injected_file_path_bytes: Annotated[int, Meta(ge=-1, description="bytes of each such path")] = 255
    scheduler_filters: Annotated[
        list[str], Meta(description="checks of hosts in use, by upstream's names, besides those that always are")
    ] = msgspec.field(default_factory=lambda: list(USUAL_FILTERS))
    scheduler_weights: Annotated[
        dict[str, float],
        Meta(description="multipliers of weighers (ram, cpu, disk, io_ops, …); below 0 packs hosts full"),
    ] = {}
    host_subset_size: Annotated[int, Meta(ge=1, description="choose at random among that many of the best hosts")] = 1
    max_io_ops_per_host: Annotated[
        int, Meta(ge=0, description="servers that a host may be building or changing at once (IoOpsFilter)")
    ] = 8
    max_instances_per_host: Annotated[int, Meta(ge=1, description="servers on a host (NumInstancesFilter)")] = 50
    isolated_hosts: Annotated[list[str], Meta(description="hosts kept for isolated_images (IsolatedHostsFilter)")] = []
    isolated_images: Annotated[list[str], Meta(description="ids of images that run on isolated_hosts alone")] = []
    restrict_isolated_hosts_to_isolated_images: Annotated[
        bool, Meta(description="isolated hosts take no other images")
    ] = True
    aggregate_image_properties_isolation_namespace: Annotated[
        str, Meta(description="image properties that AggregateImagePropertiesIsolation looks at begin so; empty: all")
    ] = ""
    aggregate_image_properties_isolation_separator: Annotated[
        str, Meta(description="what stands between that namespace and the property")
    ] = "."
    metrics_weight_setting: Annotated[
        dict[str, float], Meta(description="metrics of hosts and their ratios, for the weigher `metrics`")
    ] = {}
    metrics_required: Annotated[
        bool, Meta(description="refuse hosts that do not report all of these (MetricsFilter), else weigh them low")
    ] = True
    metrics_weight_of_unavailable: Annotated[
        float, Meta(description="weight of a host that does not report all of these, where they are not required")
    ] = -10000.0
    image_props_weight_setting: Annotated[
        dict[str, float], Meta(description="image properties that the weigher `image_props` compares; empty: all alike")
    ] = {}
    pci_alias: Annotated[
        list[PciAlias],
        Meta(description="names for PCI devices, for pci_passthrough:alias of flavors: name, vendor_id, product_id, …"),
    ] = []
    packing_host_numa_cells_allocation_strategy: Annotated[
        bool, Meta(description="fill a host's NUMA cells one by one; false: spread guests over them")
    ] = True
    boot_attempts: Annotated[
        int, Meta(ge=1, description="tries of a host to start a guest before the server is in ERROR")
    ] = 3
    stop_grace: Annotated[float, Meta(ge=0, description="seconds a guest has to shut down before it is pulled")] = 60.0
    soft_reboot_grace: Annotated[float, Meta(ge=0, description="seconds a guest has to reboot before it is reset")] = (
        60.0
    )
    force_config_drive: Annotated[bool, Meta(description="give every server a config drive")] = False
    dhcp_domain: Annotated[str, Meta(description="domain of servers' fully qualified names in metadata")] = "novalocal"

    def of_host(self, name: str) -> "ComputeSettings":
        """With what is otherwise on that host."""
        return msgspec.structs.replace(self, **msgspec.to_builtins(self.host_overrides.get(name, HostOverrides())))

    def quotas(self) -> dict[str, int]:
        """The defaults by the API's names."""
        return {
            name.removeprefix("quota_"): getattr(self, name)
            for name in self.__struct_fields__
            if name.startswith("quota_")
        }
