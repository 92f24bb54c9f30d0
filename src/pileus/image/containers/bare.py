"""No container: the image's bytes are the disk's (`bare`, and Amazon's kernels, ramdisks and disks)."""

from pileus.image.formats import Inspector, Verdict, check


class Bare:
    """An `Examiner`."""

    def __init__(self, disk_format: str) -> None:
        self._disk_format = disk_format
        self._inspector = Inspector()
        self.feed = self._inspector.feed

    def finish(self) -> Verdict:
        """Raises `FormatRefused`."""
        verdict = self._inspector.finish()
        check(verdict, self._disk_format)
        return verdict
