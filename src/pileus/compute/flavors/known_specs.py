"""Extra specs that mean something to OpenStack, with the values that each takes (Nova, Extra Specs reference)."""

import re

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.listing import FALSE, TRUE

BOOLEAN = "|".join(sorted(TRUE | FALSE))
INTEGER, POSITIVE = r"\d+", r"[1-9]\d*"
TRAIT = "required|forbidden"

# a key and a value, both as whole regular expressions; values without regard to case
KNOWN = (
    (r"resources\d*:(VCPU|PCPU|MEMORY_MB|DISK_GB|[A-Z0-9_]+)", INTEGER),
    (r"trait\d*:[A-Z0-9_]+", TRAIT),
    (r"group_policy", "none|isolate"),
    (r"hw:cpu_policy", "dedicated|shared|mixed"),
    (r"hw:cpu_thread_policy", "prefer|isolate|require"),
    (r"hw:emulator_threads_policy", "isolate|share"),
    (r"hw:cpu_(sockets|cores|threads|max_sockets|max_cores|max_threads)", POSITIVE),
    (r"hw:cpu_(realtime_mask|dedicated_mask)", r"[\^,0-9-]+"),
    (r"hw:cpu_realtime", BOOLEAN),
    (r"hw:numa_nodes", POSITIVE),
    (r"hw:numa_cpus\.\d+", r"\d+(-\d+)?(,\^?\d+(-\d+)?)*"),
    (r"hw:numa_mem\.\d+", POSITIVE),
    (r"hw:mem_page_size", r"large|small|any|\d+([kmgt]i?(b|bit)?)?"),
    (r"hw:mem_encryption", BOOLEAN),
    (r"hw:locked_memory", BOOLEAN),
    (r"hw:pci_numa_affinity_policy", "required|legacy|preferred|socket"),
    (r"hw:pmem", r"\w+(,\w+)*"),
    (r"hw:serial_port_count", INTEGER),
    (r"hw:vif_multiqueue_enabled", BOOLEAN),
    (r"hw:watchdog_action", "none|pause|poweroff|reset|disabled"),
    (r"hw:boot_menu", BOOLEAN),
    (r"hw:hide_hypervisor_id", BOOLEAN),
    (r"hw:tpm_version", r"1\.2|2\.0"),
    (r"hw:tpm_model", "tpm-tis|tpm-crb"),
    (r"hw:viommu_model", "intel|smmuv3|virtio|auto"),
    (r"hw:maxphysaddr_mode", "passthrough|emulate"),
    (r"hw:maxphysaddr_bits", POSITIVE),
    (r"hw:virtio_packed_ring", BOOLEAN),
    (r"hw_rng:allowed", BOOLEAN),
    (r"hw_rng:(rate_bytes|rate_period)", INTEGER),
    (r"hw_video:ram_max_mb", INTEGER),
    (r"hide_hypervisor_id", BOOLEAN),
    (r"os:secure_boot", "required|disabled|optional"),
    (r"quota:(cpu_period|cpu_shares|vif_(inbound|outbound)_(average|burst|peak))", INTEGER),
    (r"quota:cpu_quota", r"-1|\d+"),
    (r"quota:disk_(read|write|total)_(bytes|iops)_sec(_max(_length)?)?", INTEGER),
    (r"quota:(cpu|memory|disk_io|vif)_(limit|reservation)", INTEGER),
    (r"quota:(cpu|memory|disk_io|vif)_shares_level", "custom|high|normal|low"),
    (r"quota:(cpu|memory|disk_io|vif)_shares_share", INTEGER),
    (r"pci_passthrough:alias", r"\S+:\d+(,\S+:\d+)*"),
    (r"accel:device_profile", ".+"),
    (r"capabilities:.+", ".+"),
    (r"aggregate_instance_extra_specs:.+", ".*"),
)
NAMESPACES = (
    "accel",
    "aggregate_instance_extra_specs",
    "capabilities",
    "hw",
    "hw_rng",
    "hw_video",
    "os",
    "pci_passthrough",
    "quota",
    "resources",
    "trait",
)


def check(key: str, value: str) -> None:
    """BadRequest for a value that a known spec does not take, or an unknown name in a known namespace."""
    for names, values in KNOWN:
        if re.fullmatch(names, key):
            if not re.fullmatch(values, value, re.IGNORECASE):
                raise BadRequest(f"Validation failed; extra spec {key!r} does not take the value {value!r}.")
            return
    namespace, colon, _ = key.partition(":")
    if colon and namespace in NAMESPACES:
        raise BadRequest(f"Validation failed; extra spec {key!r} does not appear to be a valid extra spec.")
