"""A guest's disks: overlay on the base image, ephemeral, swap, config drive."""

import subprocess
from pathlib import Path

from pileus.compute.agent.config_drive import write_iso
from pileus.compute.drivers.base import GuestFailed, GuestSpec, ImageRef
from pileus.compute.drivers.libvirt.guest_files import GuestFiles
from pileus.image.formats import qemu_img

GIB = 1024**3
MIB = 1024**2
FORMAT_SECONDS = 120


def ensure_disks(files: GuestFiles, spec: GuestSpec, base: Path | None) -> None:
    """Make what is missing; raises GuestFailed, permanent where the image cannot fit the flavor."""
    files.make_folder(spec.server_id)
    try:
        files.make(files.root_disk(spec), lambda path: make_root(path, spec, base))
        if spec.ephemeral_gb:
            files.make(files.ephemeral(spec.server_id), lambda path: make_ephemeral(path, spec.ephemeral_gb * GIB))
        if spec.swap_mb:
            files.make(files.swap(spec.server_id), lambda path: make_swap(path, spec.swap_mb * MIB))
        if spec.config_drive is not None:
            drive = spec.config_drive
            files.make(files.config_drive(spec.server_id), lambda path: write_iso(path, drive), mode=0o400)
    except (OSError, qemu_img.QemuImgFailed, subprocess.SubprocessError) as error:
        raise GuestFailed("A disk of the server could not be made.", detail_of(error)) from error


def make_root(path: Path, spec: GuestSpec, base: Path | None) -> None:
    if spec.image is None:
        make_blank(path, spec.root_gb * GIB)
        return
    if base is None:
        raise GuestFailed("The server's image is not on this host.", f"no base file for image {spec.image.id}")
    size = root_size(spec.image, spec.root_gb, base)
    qemu_img.create_overlay(path, base, spec.image.disk_format, size)


def root_size(image: ImageRef, root_gb: int, base: Path) -> int:
    """Bytes of the root disk: the flavor's, or the image's own where the flavor says 0. Raises GuestFailed (permanent)."""
    needed = virtual_size(base, image.disk_format)
    if root_gb == 0:
        return needed
    if root_gb * GIB < needed:
        raise GuestFailed(
            f"The flavor's root disk of {root_gb} GiB is smaller than the image's {-(-needed // GIB)} GiB.",
            permanent=True,
        )
    return root_gb * GIB


def virtual_size(base: Path, disk_format: str) -> int:
    """Bytes that a guest sees. qcow2 says it in its header (bytes 24 to 31); a raw file is its own size."""
    if qemu_img.DRIVERS.get(disk_format) == "raw":
        return base.stat().st_size
    if disk_format == "qcow2":
        with base.open("rb") as file:
            header = file.read(32)
        if header[:4] != b"QFI\xfb" or len(header) < 32:
            raise GuestFailed("The image is not the qcow2 that it says it is.", f"bad magic in {base}", permanent=True)
        return int.from_bytes(header[24:32])
    if disk_format not in qemu_img.DRIVERS:
        raise GuestFailed(f"This host cannot boot images of format {disk_format}.", permanent=True)
    return qemu_img.info(base, disk_format).virtual_size


def make_blank(path: Path, size: int) -> None:
    """A sparse raw file: it takes room as the guest writes."""
    with path.open("wb") as file:
        file.truncate(max(size, MIB))


def make_ephemeral(path: Path, size: int) -> None:
    make_blank(path, size)
    run(["mkfs.ext4", "-q", "-F", "-L", "ephemeral0", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(path)])


def make_swap(path: Path, size: int) -> None:
    make_blank(path, size)
    path.chmod(0o600)  # mkswap warns of anything wider
    run(["mkswap", "-L", "swap", str(path)])


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=FORMAT_SECONDS)


def detail_of(error: Exception) -> str:
    """The operator's line: a failed command's own words are worth more than its exit code."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"{error.cmd[0]}: {error.stderr.decode(errors='replace').strip()[-500:]}"
    return str(error)
