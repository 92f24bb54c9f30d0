"""What one parser says of a file whose bytes carry its format's mark."""

from dataclasses import dataclass, field


@dataclass
class Finding:
    """`format` is recognised; `virtual_size` is the disk's size in bytes, None where the header does not say."""

    format: str
    virtual_size: int | None = None
    faults: list[str] = field(default_factory=list)
    wraps: bool = False
    """The file starts with the disk's own bytes (ISO, fixed VHD), so a partition table there is legitimate."""

    def require(self, holds: bool, fault: str) -> None:
        """Record `fault` unless the file `holds` what it must."""
        if not holds:
            self.faults.append(fault)
