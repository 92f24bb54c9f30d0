"""The CRC-32C checksum (Castagnoli; RFC 3720, appendix B.4)."""

POLYNOMIAL = 0x82F63B78  # bit-reversed


def _row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = tuple(_row(value) for value in range(256))


def crc32c(data: bytes) -> int:
    """Return the checksum of `data`."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
