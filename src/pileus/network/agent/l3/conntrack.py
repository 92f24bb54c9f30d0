"""Connections through a floating IP end with it: what the kernel still translates for a pair that is gone is dropped."""

import subprocess
from collections.abc import Iterable

from pileus.network.agent.namespaces import start_in


def forget(namespace: str, floating_ips: Iterable[str]) -> None:
    """Drop each entry that came in to one of the addresses or went out as one. Source: conntrack(8)."""
    for address in floating_ips:
        for option in ("--orig-dst", "--reply-dst"):
            # Status 1 only says that there was none.
            start_in(namespace, ["conntrack", "-D", "-f", "ipv4", option, address], stderr=subprocess.DEVNULL).wait(30)
