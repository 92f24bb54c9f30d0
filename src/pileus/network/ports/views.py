from collections.abc import Sequence

from pileus.kernel.http.call import Call, Json
from pileus.network.hosts.snapshots import default_hostname
from pileus.network.ports.models import Port
from pileus.network.ports.policy import SECRET
from pileus.network.ports.states import status
from pileus.network.rest.lists import Sight, standard, tags_of
from pileus.network.settings import settings_of


def ports(call: Call, rows: Sequence[Port]) -> list[Json]:
    tags = tags_of(call.db, rows)
    sight = Sight(call, "get_port", SECRET)
    domain = settings_of(call.db).dns_domain
    return [sight.of(row, {**standard(row, tags), **_own(row, domain)}) for row in rows]


def _own(row: Port, domain: str) -> Json:
    return {
        "name": row.name,
        "network_id": row.network_id,
        "mac_address": row.mac_address,
        "admin_state_up": row.admin_state_up,
        "status": status(row),
        "device_id": row.device_id,
        "device_owner": row.device_owner,
        "fixed_ips": [{"subnet_id": ip.subnet_id, "ip_address": ip.ip_address} for ip in row.fixed_ips],
        "security_groups": [group.security_group_id for group in row.groups],
        "port_security_enabled": row.port_security_enabled,
        "allowed_address_pairs": row.address_pairs,
        "extra_dhcp_opts": row.dhcp_options,
        "dns_name": row.dns_name,
        "dns_assignment": [_name(row, ip.ip_address, domain) for ip in row.fixed_ips],
        "ip_allocation": "immediate" if row.fixed_ips else "none",
        "binding:vnic_type": row.vnic_type,
        "binding:host_id": row.host,
        "binding:vif_type": row.vif_type,
        "binding:vif_details": row.vif_details,
        "binding:profile": row.binding_profile,
    }


def plain(row: Port) -> Json:
    """The parts of a port that its owner may write, to see whether a request changes any."""
    return _own(row, "")


def _name(row: Port, address: str, domain: str) -> Json:
    hostname = row.dns_name or default_hostname(address)
    return {
        "ip_address": address,
        "hostname": hostname,
        "fqdn": f"{hostname}.{row.network.dns_domain.rstrip('.') or domain}.",
    }
