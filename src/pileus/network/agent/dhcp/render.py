"""What dnsmasq is told for one network, as text: pure, so that every line can be tested."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pileus.network.agent.dhcp import options, values
from pileus.network.agent.snapshot import Dhcp, DhcpHost, Network, Subnet

METADATA = "169.254.169.254/32"
HOSTS, NAMES, OPTIONS, PID, LEASES = "host", "addn_hosts", "opts", "pid", "leases"


class Rendering(msgspec.Struct, frozen=True):
    """`arguments` need a new process when they differ; `files` (name -> content) are read again on SIGHUP."""

    arguments: tuple[str, ...]
    files: dict[str, str]
    leases: frozenset[tuple[str, str]]  # (MAC, address) pairs that may be leased
    ranges: bool  # whether there is anything to serve: without a range there is no need for a process
    faults: dict[str, str]  # port id (or network id) -> what was left out, and why


def render(network: Network, dhcp: Dhcp, folder: Path, interface: str, user: str) -> Rendering:
    """One bad value costs its own host or option only. Subnets that DHCP does not serve appear nowhere."""
    faults: dict[str, str] = {}
    subnets = {subnet.id: subnet for subnet in network.subnets if _served(subnet)}
    try:
        domain = values.domain(dhcp.dns_domain)
    except values.UnsafeValueError as error:
        faults[network.id], domain = f"the DNS domain is left out: {error}", "openstacklocal"
    hosts: list[str] = []
    names: list[str] = []
    extras: list[str] = []
    tags: list[str] = []
    leases: set[tuple[str, str]] = set()
    for host in dhcp.hosts:
        try:
            mac, tag = values.mac(host.mac), f"port-{values.identifier(host.port_id)}"
            label = _label(host, faults)
            addresses = [
                values.address(ip.ip_address, subnets[ip.subnet_id].ip_version)
                for ip in host.fixed_ips
                if ip.subnet_id in subnets
            ]
        except values.UnsafeValueError as error:
            faults[host.port_id] = f"no DHCP for this port: {error}"
            continue
        for address in addresses:
            name = label or "host-" + address.replace(".", "-").replace(":", "-").strip("-")
            shown = f"[{address}]" if ":" in address else address
            hosts.append(f"{mac},{shown},{name}")
            names.append(f"{address} {name}.{domain} {name}")
            leases.add((mac, address))
        lines = list(_extra_options(host, tag, faults))
        if lines:
            # Not set:tag in the hosts file: dnsmasq 2.86 to 2.90 crash when they read such a line again under a lease.
            tags.append(f"--dhcp-mac=set:{tag},{mac}")
            extras.extend(lines)
    own = {ip.subnet_id: values.address(ip.ip_address) for ip in dhcp.fixed_ips}
    for subnet in subnets.values():
        try:
            extras.extend(_subnet_options(subnet, dhcp, own.get(subnet.id), domain))
        except values.UnsafeValueError as error:
            faults[network.id] = f"options of subnet {subnet.id} are left out: {error}"
    arguments = (
        *_daemon_arguments(folder, interface, user),
        f"--domain={domain}",
        f"--local=/{domain}/",
        f"--dhcp-option-force=option:mtu,{values.number(str(network.mtu))}",
        *(_range(subnet, dhcp.lease_seconds) for subnet in subnets.values()),
        *sorted(tags),
    )
    files = {HOSTS: _text(hosts), NAMES: _text(names), OPTIONS: _text(extras)}
    return Rendering(arguments=arguments, files=files, leases=frozenset(leases), ranges=bool(subnets), faults=faults)


def _served(subnet: Subnet) -> bool:
    """IPv4, or IPv6 whose hosts ask DHCP for their address (stateful) or for the rest (stateless)."""
    return subnet.enable_dhcp and (subnet.ip_version == 4 or (subnet.ipv6_address_mode or "").startswith("dhcpv6"))


def _label(host: DhcpHost, faults: dict[str, str]) -> str | None:
    try:
        return values.hostname(host.hostname)
    except values.UnsafeValueError as error:
        if host.hostname:
            faults[host.port_id] = f"the port's name is left out of DNS: {error}"
        return None


def _extra_options(host: DhcpHost, tag: str, faults: dict[str, str]) -> Iterator[str]:
    for option in host.extra_options:
        try:
            yield options.line(tag, option)
        except values.UnsafeValueError as error:
            faults[host.port_id] = f"an extra DHCP option is left out: {error}"


def _subnet_options(subnet: Subnet, dhcp: Dhcp, here: str | None, domain: str) -> Iterator[str]:
    tag = f"tag:subnet-{values.identifier(subnet.id)}"
    if subnet.ip_version == 6:
        servers = [values.address(server, 6) for server in subnet.dns_nameservers] or ([here] if here else [])
        if servers:
            yield f"{tag},option6:dns-server," + ",".join(f"[{server}]" for server in servers)
        yield f"{tag},option6:domain-search,{domain}"
        return
    servers = [values.address(server, 4) for server in subnet.dns_nameservers] or ([here] if here else [])
    if servers:
        yield f"{tag},option:dns-server," + ",".join(servers)
    gateway = values.address(subnet.gateway_ip, 4) if subnet.gateway_ip else None
    # Without a value the option is not sent; without the line dnsmasq would name itself as the router.
    yield f"{tag},option:router,{gateway}" if gateway else f"{tag},option:router"
    routes = [(values.network(to, 4), values.address(via, 4)) for to, via in subnet.host_routes]
    via = dhcp.metadata_via.get(subnet.id)
    if via:
        routes.insert(0, (METADATA, values.address(via, 4)))
    if routes and gateway and "0.0.0.0/0" not in {to for to, _ in routes}:
        routes.append(("0.0.0.0/0", gateway))  # a client that reads option 121 ignores the router option
    if routes:
        pairs = ",".join(f"{to},{hop}" for to, hop in routes)
        yield f"{tag},option:classless-static-route,{pairs}"
        yield f"{tag},249,{pairs}"  # the number that older Windows guests ask for


def _range(subnet: Subnet, lease_seconds: int) -> str:
    """`static`: only the hosts of the file get an address. Without a ra- mode dnsmasq advertises no router."""
    cidr = ipaddress.ip_network(values.network(subnet.cidr, subnet.ip_version))
    size = str(cidr.netmask) if cidr.version == 4 else str(cidr.prefixlen)
    tag = f"subnet-{values.identifier(subnet.id)}"
    return f"--dhcp-range=set:{tag},{cidr.network_address},static,{size},{lease_seconds}s"


def _daemon_arguments(folder: Path, interface: str, user: str) -> tuple[str, ...]:
    return (
        "dnsmasq",
        "--conf-file=/dev/null",
        "--no-hosts",
        "--no-resolv",
        "--no-poll",
        "--bind-interfaces",
        f"--interface={interface}",
        "--except-interface=lo",
        f"--user={user}",
        f"--pid-file={folder / PID}",
        f"--dhcp-hostsfile={folder / HOSTS}",
        f"--addn-hosts={folder / NAMES}",
        f"--dhcp-optsfile={folder / OPTIONS}",
        f"--dhcp-leasefile={folder / LEASES}",
        "--dhcp-lease-max=1000000",
        "--dhcp-authoritative",
        "--dhcp-ignore-names",
        "--no-ping",
        "--quiet-dhcp",
        "--quiet-dhcp6",
    )


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
