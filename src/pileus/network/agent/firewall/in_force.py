"""What nft says is in the kernel: for a restarted agent, and for finding what nobody wants any more."""

import msgspec

from pileus.network.agent.namespaces import ProgramFailed, run_in


class _Named(msgspec.Struct):
    name: str = ""
    table: str = ""
    family: str = ""
    elem: list[msgspec.Raw] = []


class _Item(msgspec.Struct):
    chain: _Named | None = None
    set: _Named | None = None
    map: _Named | None = None


class _Listing(msgspec.Struct):
    nftables: list[_Item]


def _items(*query: str) -> list[_Named]:
    try:
        text = run_in(None, ["nft", "-j", "list", *query])
    except ProgramFailed as error:
        if "No such file" in str(error):
            return []
        raise
    items = msgspec.json.decode(text, type=_Listing).nftables
    return [named for item in items for named in (item.chain, item.set, item.map) if named is not None]


def object_names() -> set[str]:
    """Chains, sets and maps of our tables: "inet pileus forward"."""
    found = {f"{one.family} {one.table} {one.name}" for kind in ("chains", "sets", "maps") for one in _items(kind)}
    return {name for name in found if name.split()[1] == "pileus"}


def elements(kind: str, table: str, name: str) -> list[msgspec.Raw]:
    """Elements of a set or map, each as JSON; none when it is not there."""
    return [element for one in _items(kind, *table.split(), name) for element in one.elem]


def device_elements(table: str, name: str) -> set[str]:
    """Elements of a set of device names."""
    return {msgspec.json.decode(element, type=str) for element in elements("set", table, name)}


def zones_in_force() -> dict[str, int]:
    """Conntrack zone of each bridge."""
    return dict(msgspec.json.decode(pair, type=tuple[str, int]) for pair in elements("map", "inet pileus", "zones"))
