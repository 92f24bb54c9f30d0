"""The fixed part of the rules: two tables whose sets and maps say what holds for which port.

A packet from a guarded tap meets `bridge pileus` first (is the sender who it says it is?), which marks it with the sender's
number; br_netfilter then shows it to `inet pileus`, where the network's conntrack zone is set and the sender's egress rules
are asked; on its way out of the bridge it is marked anew with the receiver's number, whose ingress rules are asked. This
kernel family split is needed because the bridge family may lack `ct`. Chains accept by policy and drop by rule, so that the
moment between making a chain and filling it is never a closed door for what an older set of rules lets through.
Hooks and priorities: nft(8).
"""

import ipaddress

from pileus.network.agent.snapshot import HostNetwork

BRIDGE, INET = "bridge pileus", "inet pileus"
SENDER, RECEIVER = 0x50000000, 0x60000000  # upper four bits of a mark; the port's number is in the others
REVOKED = 1  # conntrack mark of a connection that the rules no longer allow

_BRIDGE_TABLE = """
table bridge pileus {
  set guarded { type ifname; }
  set silenced { type ifname; }
  set macs { type ifname . ether_addr; }
  set ipv4_sources { type ifname . ether_addr . ipv4_addr; flags interval; }
  set ipv6_sources { type ifname . ether_addr . ipv6_addr; flags interval; }
  set ipv6_targets { typeof iifname . ether saddr . @th,64,128; flags interval; }
  map senders { type ifname : mark; }
  map receivers { type ifname : mark; }

  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname @silenced drop
    iifname @guarded jump from_guarded
    meta mark set iifname map @senders
  }
  chain from_guarded {
    iifname . ether saddr != @macs drop
    ether type vmap { arp : goto arp_from, ip : goto ipv4_from, ip6 : goto ipv6_from, 0x8035 : accept }
    drop
  }
  chain arp_from {
    iifname . arp saddr ether . arp saddr ip @ipv4_sources return
    arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether . arp daddr ip @ipv4_sources return
    drop
  }
  chain ipv4_from {
    udp dport 68 drop
    ip saddr 224.0.0.0/3 drop
    iifname . ether saddr . ip saddr @ipv4_sources return
    ip saddr 0.0.0.0 udp sport 68 udp dport 67 return
    drop
  }
  chain ipv6_from {
    udp dport 546 drop
    icmpv6 type { nd-router-advert, nd-redirect } drop
    frag nexthdr { 0, 43, 44, 51, 60, 135 } drop
    ip6 saddr ff00::/8 drop
    icmpv6 type nd-neighbor-advert jump own_target
    iifname . ether saddr . ip6 saddr @ipv6_sources return
    ip6 saddr :: icmpv6 type nd-neighbor-solicit goto own_target
    ip6 saddr :: icmpv6 type { nd-router-solicit, mld-listener-report, mld-listener-done, mld2-listener-report } return
    drop
  }
  chain own_target {
    iifname . ether saddr . @th,64,128 @ipv6_targets return
    drop
  }
  chain forward {
    type filter hook forward priority -200; policy accept;
    oifname @silenced drop
    oifname @guarded ether type != { arp, ip, ip6, 0x8035 } drop
    meta mark set oifname map @receivers
  }
}
"""

_INET_TABLE = """
table inet pileus {
  set bridges { type ifname; }
  set stateless { type mark; }
  map zones { typeof iifname : ct zone; }
  map egress { type mark : verdict; }
  map ingress { type mark : verdict; }

  chain zone {
    type filter hook prerouting priority raw; policy accept;
    ct zone set iifname map @zones
  }
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    meta mark & 0xf0000000 == 0x50000000 jump sender
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    meta mark & 0xf0000000 == 0x60000000 jump receiver
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname @bridges drop
  }
  chain sender {
    udp dport { 68, 546 } drop
    icmpv6 type { nd-router-advert, nd-redirect } drop
    meta nfproto ipv4 udp sport 68 udp dport 67 return
    meta nfproto ipv6 udp sport 546 udp dport 547 return
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } return
    icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } return
    meta mark @stateless goto egress_rules
    ct mark 1 drop
    ct state established,related return
    ct state invalid drop
    goto egress_rules
  }
  chain egress_rules {
    meta mark vmap @egress
    drop
  }
  chain receiver {
    meta nfproto ipv4 udp sport 67 udp dport 68 return
    meta nfproto ipv6 udp sport 547 udp dport 546 return
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } return
    icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } return
    meta mark @stateless goto ingress_rules
    ct mark 1 drop
    ct state established,related return
    ct state invalid drop
    goto ingress_rules
  }
  chain ingress_rules {
    meta mark vmap @ingress
    drop
  }
}
"""


def base_text(settings: HostNetwork) -> str:
    """Commands that replace both tables by empty ones, and let out the physical networks that ask for it."""
    text = "".join(f"table {table} {{}}\ndelete table {table}\n" for table in (BRIDGE, INET))
    return text + _BRIDGE_TABLE + _INET_TABLE + _masquerade(settings)


def _masquerade(settings: HostNetwork) -> str:
    rules = []
    for physical in settings.physical_networks.values():
        if physical.masquerade and physical.address is not None:
            network = ipaddress.ip_interface(physical.address).network
            family = f"ip{'' if network.version == 4 else '6'}"
            # Bridged packets pass here too: theirs is a bridge as the way out.
            rules.append(
                f'    {family} saddr {network} {family} daddr != {network} oifname != "{physical.bridge}" '
                "oifname != @bridges masquerade\n"
            )
    if not rules:
        return ""
    head = "    type nat hook postrouting priority srcnat; policy accept;\n"
    return f"table inet pileus {{\n  chain postrouting {{\n{head}{''.join(rules)}  }}\n}}\n"
