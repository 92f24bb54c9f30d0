"""How long a qcow2 file must at least be, by its own count of used clusters."""

import struct
from collections.abc import Generator

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, RANGE_BYTES, Passed, Range, Stream

BLOCK_OFFSET = ~0x1FF  # the low nine bits of a refcount table's entry are reserved


def check_allocation(
    finding: Finding, stream: Stream, table_at: int, cluster: int, refcount_order: int
) -> Generator[Range, bytes, None]:
    """Find the last cluster that the refcounts call used, and record a fault if the file ends before it.

    Where the tables cannot be read while streaming, because the last refcount block stands before the table or is
    too long, nothing is recorded: the check finds files that were cut off, it does not guard anything.
    `cluster` is in bytes; a refcount has `1 << refcount_order` bits.
    """
    try:
        table = yield Range(table_at, min(cluster, RANGE_BYTES))
        entries = struct.unpack_from(f">{len(table) // 8}Q", table)
        number = next((index for index in reversed(range(len(entries))) if entries[index] & BLOCK_OFFSET), None)
        if number is None:
            return
        block_at = entries[number] & BLOCK_OFFSET
        block = yield Range(block_at, min(cluster, RANGE_BYTES))
    except Passed:
        return
    yield END
    last_byte = max(len(block.rstrip(b"\0")) - 1, 0)
    last = number * (cluster * 8 >> refcount_order) + (last_byte * 8 >> refcount_order)
    needed = max(last * cluster, block_at)
    finding.require(needed < stream.size, f"the file is cut off: it uses its byte {needed}, but has {stream.size}")
