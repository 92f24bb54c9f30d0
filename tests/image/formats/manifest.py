"""Write the corpus as files with the manifest that tempest's `images_manifest_file` wants.

python -m tests.image.formats.manifest FOLDER
"""

import sys
from pathlib import Path

import yaml
from tests.image.formats.corpus import CORPUS

# tempest uploads what is usable without asking whether the cloud knows the format.
KNOWN = frozenset({"raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "ami", "ari", "aki"})


def write(folder: Path) -> None:
    """All files of the corpus that are bare disks, and `manifest.yaml`."""
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, str | bool]] = []
    for name, case in CORPUS.items():
        if case.container != "bare" or case.declared not in KNOWN:
            continue
        filename = f"{name}.{case.declared}"
        (folder / filename).write_bytes(case.make())
        images.append({"name": name, "format": case.declared, "filename": filename, "usable": case.refusal is None})
    (folder / "manifest.yaml").write_text(yaml.safe_dump({"images": images}, sort_keys=False))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
