"""tempest.conf of a cloud: the template with what only the running cloud knows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.compat.tempest.endpoint import Endpoint

TEMPLATE = Path(__file__).with_name("tempest.conf.template")
_PLACE = re.compile(r"@([A-Z_]+)@")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Each `@NAME@` by its value. Raises KeyError for a name without one."""
    return _PLACE.sub(lambda found: values[found[1]], text)


def values(cloud: Endpoint, work: Path, *, image: str, alternative: str, disk: Path, guests: bool) -> dict[str, str]:
    """All but what `images` and `formats` say. `guests`: do servers really boot, so that tempest may log in to them?"""
    hypervisors = cloud.get("/compute/v2.1/os-hypervisors")["hypervisors"]
    network = cloud.first("/network/v2.0/networks?router:external=true", "networks")
    passwords = cloud.settings("identity")
    extensions = cloud.get("/network/v2.0/extensions")["extensions"]
    return {
        "WORK": str(work),
        "PASSWORD": cloud.password,
        "IDENTITY": f"{cloud.url}/identity/v3",
        "LOCKOUT": _word(passwords.get("lockout_attempts", 0) > 0 and passwords.get("lockout_seconds", 1800) < 60),
        "LOCKOUT_ATTEMPTS": str(passwords.get("lockout_attempts", 0)),
        "LOCKOUT_SECONDS": str(passwords.get("lockout_seconds", 0)),
        "PASSWORD_HISTORY": str(passwords.get("password_history", 0)),
        "BLOCK_STORAGE": _word("block-storage" in cloud.services),
        "IMAGE": image,
        "IMAGE_ALT": alternative,
        "IMAGE_FILE": str(disk),
        "FLAVOR": _flavor(cloud, "m1.nano"),
        "FLAVOR_ALT": _flavor(cloud, "m1.micro"),
        "HOSTS": str(len(hypervisors)),
        "PUBLIC_ID": network["id"],
        "PUBLIC_NAME": network["name"],
        "NETWORK_EXTENSIONS": ",".join(sorted(extension["alias"] for extension in extensions)),
        "GUESTS": _word(guests),
    }


def images(settings: Mapping[str, Any], http: str, manifest: Path) -> dict[str, str]:
    """What the section `[image]` of the cloud turns on. `http`: where images can be downloaded from, "" for nowhere."""
    stores: Mapping[str, Mapping[str, Any]] = settings.get("stores", {})
    web = any(store.get("driver") == "http" for store in stores.values())
    return {
        "HTTP": http,
        "MANIFEST": str(manifest),
        "DOWNLOADS": _word(bool(http)),
        "LOCATIONS": _word(bool(http) and web and settings.get("show_multiple_locations", False)),
        "WEB_STORE": _word(bool(http) and web),
        "CONVERSION": _word(bool(settings.get("convert_to"))),
        "WEIGHTS": _word(len({store.get("weight", 0) for store in stores.values()}) > 1),
    }


def formats(raw: bool, alternate: str) -> dict[str, str]:
    """`raw`: images of the one format that any bytes are; tests that upload what they like need it. `alternate`: a catalog type."""
    return {
        "CONTAINER_FORMATS": "bare" if raw else "bare,ami,ari,aki,ovf,ova",
        "DISK_FORMATS": "raw" if raw else "raw,qcow2,ami,ari,aki,vhd,vmdk,vdi,iso,vhdx,ploop",
        "ENFORCEMENT": _word(not raw),
        "ALTERNATE": f"alternate_image_endpoint = {alternate}" if alternate else "",
    }


def _flavor(cloud: Endpoint, name: str) -> str:
    flavors: list[dict[str, str]] = cloud.get("/compute/v2.1/flavors")["flavors"]
    for flavor in flavors:
        if flavor["name"] == name:
            return flavor["id"]
    raise SystemExit(f"Tempest needs the flavor {name}, and the cloud has only {[f['name'] for f in flavors]}.")


def _word(true: bool) -> str:
    return "true" if true else "false"
