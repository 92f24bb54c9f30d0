"""The command line. Standard library only, so that help works before anything is installed."""

import argparse
from pathlib import Path

from pileus.cli.identity import options as identity_options

RECIPES = ("pico", "debian")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="pileus", description="A cloud that speaks OpenStack's APIs, from one command.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    up = commands.add_parser("up", help="set up what is missing and run the cloud")
    up.add_argument("--detach", action="store_true", help="return once every API answers")
    up.add_argument("--listen", metavar="ADDR:PORT", help="where the APIs answer (default 127.0.0.1:8780)")
    up.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML); `pileus config` prints them all")
    up.add_argument(
        "--fake",
        action="store_true",
        help="fake hypervisor and network: no privileges, no guests (always so without root)",
    )

    down = commands.add_parser("down", help="stop the cloud; guests and their networks keep running")
    down.add_argument("--all", action="store_true", help="stop guests, networks and the hypervisor's daemon as well")

    commands.add_parser("status", help="roles, endpoints, hosts, drivers, and what is degraded and why")
    logs = commands.add_parser("logs", help="print what the roles logged")
    logs.add_argument("role", nargs="?", help="api, reconcile, agent, prepare or supervisor (default: all)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on printing what is added")
    logs.add_argument("-n", "--lines", type=int, default=50, help="how many lines of each")

    image = commands.add_parser("image", help="guest images: built on this machine, or a distribution's own")
    image_commands = image.add_subparsers(dest="image_command", metavar="COMMAND", required=True)
    build = image_commands.add_parser("build", help="build a guest image from Debian's packages")
    build.add_argument(
        "recipe", choices=RECIPES, help="pico: small, for tests; debian: all of Debian 12, with cloud-init"
    )
    build.add_argument("out", type=Path, nargs="?", metavar="FILE", help="file to write (default RECIPE.qcow2)")
    add = image_commands.add_parser("add", help="take a file, such as a distribution's image, into this cloud")
    add.add_argument("source", metavar="FILE_OR_URL", help="a disk image; its format is found by its bytes")
    add.add_argument("--name", required=True)
    add.add_argument(
        "--disk-format", metavar="FORMAT", help="refuse any other; `raw` is needed where bytes say nothing"
    )
    add.add_argument("--sha256", metavar="HASH", help="what it must be, or a file of hashes as published beside it")
    add.add_argument("--sha512", metavar="HASH", help="the same with SHA-512")
    add.add_argument("--visibility", choices=("public", "community", "shared", "private"), default="public")
    add.add_argument("--property", action="append", default=[], metavar="NAME=VALUE", help="may be given repeatedly")

    commands.add_parser("config", help="print every setting with its meaning and default")
    commands.add_parser(
        "audit", help="look for what should not be: allocations, ports or guests that belong to nothing"
    )
    why = commands.add_parser("why", help="say what a server is waiting for, or why it was refused")
    why.add_argument("server", metavar="SERVER", help="id or name")
    commands.add_parser("setup", help="only install what `up` needs, so that it can run where nothing can be fetched")
    commands.add_parser("test", help="set up what is missing and run the checks and tests")
    identity = commands.add_parser("identity", help="keys, tokens, trusts; the administrator's way back in")
    identity_options.add(identity)
    for command in (up, down, why, identity, image, *(commands.choices[name] for name in ("status", "logs", "audit"))):
        command.add_argument(
            "--state", type=Path, metavar="DIR", help="state folder (default /var/lib/pileus, or the user's own)"
        )
    return top
